/* Tasks of approvers, and their answers. */
#ifndef TSB_FLOW_TASK_H
#define TSB_FLOW_TASK_H

#include "lib/flow/context.h"

/*
 * Tasks that the proven approver may see; status (level 6) has n entries or is NULL. A list is cut
 * at FLOW_LIST_BYTES, and more says so; a page is refused then, because the next one would not
 * begin where this one was cut. With fresh_attributes the
 * HSM is asked, after the transaction, for the attributes of the task's key.
 */
int flow_tasks_list(struct flow *f, const struct tsb_task_filter *filter, struct arena *a,
    int64_t now_ms, struct tsb_task_view **tasks, struct tsb_request_view **status, size_t *n,
    bool *more, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * For a program that acts for the approver with this key by itself: nobody proves anything. Ids of
 * at most limit open tasks, those first that were shown longest ago.
 */
int flow_tasks_waiting(struct flow *f, struct tsb_view spki, size_t limit, struct arena *a,
    int64_t now_ms, struct tsb_uuid **ids, size_t *n, struct tsb_err *err) TSB_MUSTCHECK;
/* One of them as level 6 shows it, from now on the last one shown. TSB_E_TASK_NOT_EXISTENT. */
int flow_task_show(struct flow *f, struct tsb_view spki, const struct tsb_uuid *id, struct arena *a,
    int64_t now_ms, struct tsb_task_view *task, struct tsb_request_view *status,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Records the answer, once per approver, and what it means for the request. TSB_E_TASK_NOT_EXISTENT
 * when the task was answered or its request is over.
 */
int flow_task_approve(struct flow *f, const struct tsb_approval_in *in, struct arena *a,
    int64_t now_ms, struct tsb_err *err) TSB_MUSTCHECK;
int flow_task_reject(struct flow *f, const struct tsb_approval_in *in, struct arena *a,
    int64_t now_ms, struct tsb_err *err) TSB_MUSTCHECK;

#endif
