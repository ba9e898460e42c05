/*
 * Commands that ask for an operation with a key, or use one at once. Each returns 0, or -1 with
 * c->err.
 */
#ifndef TSB_CLI_REQUEST_COMMANDS_H
#define TSB_CLI_REQUEST_COMMANDS_H

struct cli;

int cli_key_ask(struct cli *); /* block, unblock */
int cli_key_modify(struct cli *);
int cli_sign(struct cli *);
int cli_verify(struct cli *);
int cli_hmac(struct cli *);
int cli_encrypt(struct cli *);
int cli_decrypt(struct cli *);
int cli_wrap(struct cli *);
int cli_unwrap(struct cli *);
int cli_timestamp(struct cli *);
int cli_file_encrypt(struct cli *);
int cli_file_decrypt(struct cli *);
int cli_certificate_request(struct cli *);
int cli_certificate_sign(struct cli *);
int cli_certificate_selfsign(struct cli *);
int cli_certificate_show(struct cli *);
int cli_request_show(struct cli *);
int cli_request_wait(struct cli *);
int cli_request_list(struct cli *);
int cli_request_cancel(struct cli *);

#endif
