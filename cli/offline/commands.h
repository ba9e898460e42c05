/* What crosses an air gap. Each returns 0, or -1 with c->err. */
#ifndef TSB_CLI_OFFLINE_COMMANDS_H
#define TSB_CLI_OFFLINE_COMMANDS_H

struct cli;

int cli_key_attributes(struct cli *);
int cli_key_import(struct cli *);
int cli_offline_init(struct cli *);
int cli_offline_trust(struct cli *);
int cli_offline_export(struct cli *);
int cli_offline_import(struct cli *);
int cli_offline_show(struct cli *);
int cli_offline_run(struct cli *);
int cli_offline_scan(struct cli *);

#endif
