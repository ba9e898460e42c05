/* What operators do on the computer of the broker. Each returns 0, or -1 with c->err. */
#ifndef TSB_CLI_ADMIN_COMMANDS_H
#define TSB_CLI_ADMIN_COMMANDS_H

struct cli;

int cli_schema_upgrade(struct cli *);
int cli_schema_status(struct cli *);
int cli_apikey_new(struct cli *);
int cli_setup(struct cli *);

/* Becomes the setup program, with the options behind argv[0]; returns the status if it cannot. */
int setup_main(char **argv);

#endif
