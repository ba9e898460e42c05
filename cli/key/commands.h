/* tsb key create, list, show, delete. Each returns 0, or -1 with c->err. */
#ifndef TSB_CLI_KEY_COMMANDS_H
#define TSB_CLI_KEY_COMMANDS_H

struct cli;

int cli_key_create(struct cli *);
int cli_key_list(struct cli *);
int cli_key_show(struct cli *);
int cli_key_delete(struct cli *);

#endif
