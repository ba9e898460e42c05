/* tsb key, except what crosses an air gap; tsb data. Each returns 0, or -1 with c->err. */
#ifndef TSB_CLI_KEY_COMMANDS_H
#define TSB_CLI_KEY_COMMANDS_H

struct cli;

int cli_key_create(struct cli *);
int cli_key_list(struct cli *);
int cli_key_show(struct cli *);
int cli_key_delete(struct cli *);
int cli_key_password(struct cli *);
int cli_key_rename(struct cli *);
int cli_key_restrict(struct cli *);
int cli_key_derive(struct cli *);
int cli_key_xpub(struct cli *);
int cli_key_address(struct cli *);
int cli_key_export(struct cli *);
int cli_key_attest(struct cli *);
int cli_data_put(struct cli *);
int cli_data_get(struct cli *);
int cli_data_list(struct cli *);
int cli_data_delete(struct cli *);

#endif
