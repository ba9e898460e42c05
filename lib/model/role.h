/* Roles of the API's callers: each has API keys of its own. */
#ifndef TSB_MODEL_ROLE_H
#define TSB_MODEL_ROLE_H

enum tsb_role {
	TSB_ROLE_NONE,
	TSB_ROLE_KEY_MANAGEMENT,
	TSB_ROLE_KEY_OPERATION,
	TSB_ROLE_APPROVER,
	TSB_ROLE_SERVICE,
	TSB_ROLE_APPROVER_MANAGEMENT,
	TSB_ROLE__MAX
};

/* Where more than one role may do something. */
#define TSB_ROLE_BIT(role) (1U << (role))

#endif
