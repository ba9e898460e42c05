/* Commands of approvers and about approvers. Each returns 0, or -1 with c->err. */
#ifndef TSB_CLI_APPROVE_COMMANDS_H
#define TSB_CLI_APPROVE_COMMANDS_H

struct cli;

int cli_approver_new(struct cli *);
int cli_approver_create(struct cli *);
int cli_approver_onboard(struct cli *);
int cli_approver_status(struct cli *);
int cli_approver_renew(struct cli *);
int cli_approver_restore(struct cli *);
int cli_approver_change_password(struct cli *);
int cli_approver_delete(struct cli *);
int cli_tasks(struct cli *);
int cli_approve(struct cli *);
int cli_reject(struct cli *);
int cli_token_decode(struct cli *);

#endif
