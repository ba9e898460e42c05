/* Changes as the programs make them, with what must be true before and after. */
#ifndef TSB_STORE_CHANGES_H
#define TSB_STORE_CHANGES_H

#include "tests/fault/store_fixture.h"

struct world {
	struct tsb_request rq; /* as set up */
	struct tsb_request now; /* as the body left it */
	struct tsb_request many[3]; /* of a batch, as set up */
	struct tsb_task task, more[7]; /* in statements of 4, 2 and 1 */
	struct tsb_key_attributes key;
	struct tsb_task_view *views;
	struct tsb_approver approver;
	struct tsb_imported_key imported;
	size_t n;
	int runs, looks;
	bool flag;
};

struct change {
	const char *name;
	enum store_login login;
	void (*setup)(struct world *);
	store_body *body;
	int (*run)(struct store *, struct world *, struct tsb_err *); /* instead of body */
	void (*check)(struct world *);
	bool reads;
};
extern const struct change changes[];
extern const size_t nchanges;

/* Used on their own, too. */
int change_audit(struct store_tx *, const struct tsb_uuid *id, const char *action,
    struct tsb_err *);
void change_audited(const struct world *, long rows);
void change_create_setup(struct world *);
int change_create_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_create_check(struct world *);
/* An APPROVED request, the only one that is due. */
void change_due_setup(struct world *);
int change_finish_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_finish_check(struct world *);

/* store_batch.c */
void change_many_setup(struct world *); /* APPROVED, of two approvers, with two tasks each */
int change_claims_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_claims_check(struct world *);
int change_finishes_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_finishes_check(struct world *);

/* store_approvers.c */
void change_approver_setup(struct world *); /* not inserted */
void change_approver_stored_setup(struct world *); /* inserted */
int change_approver_insert_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_approver_insert_check(struct world *);
int change_approver_change_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_approver_change_check(struct world *);
int change_approver_delete_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_approver_delete_check(struct world *);
int change_approver_read_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_approver_read_check(struct world *);
void change_backup_key_setup(struct world *); /* a new label */
void change_backup_key_intended_setup(struct world *);
int change_backup_key_intend_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_backup_key_intend_check(struct world *);
int change_backup_key_made_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_backup_key_made_check(struct world *);
int change_backup_key_read_body(struct store_tx *, void *ctx, struct tsb_err *);

/* store_imported.c */
void change_imported_setup(struct world *); /* not inserted */
void change_imported_stored_setup(struct world *); /* inserted */
int change_imported_insert_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_imported_insert_check(struct world *);
int change_imported_renew_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_imported_renew_check(struct world *);
int change_imported_forget_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_imported_forget_check(struct world *);
int change_imported_read_body(struct store_tx *, void *ctx, struct tsb_err *);
void change_imported_read_check(struct world *);

#endif
