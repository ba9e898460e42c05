#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/crypto/signature.h"
#include "lib/flow/certificate.h"
#include "lib/flow/evaluate.h"
#include "lib/flow/execute.h"
#include "lib/flow/hsmcall.h"
#include "lib/flow/payload.h"
#include "lib/flow/plan.h"
#include "lib/flow/request.h"
#include "lib/flow/rooms.h"
#include "lib/flow/signer.h"
#include "lib/ska/token.h"
#include "lib/ska/verdict.h"

#define ACTOR_CALLER "keyOperation"

struct creation {
	struct flow *f;
	struct tsb_request *rq;
	const struct flow_key *key; /* whose attributes must be there with it; NULL = not known */
	bool new_key; /* seen for the first time */
	struct tsb_task *tasks;
	size_t ntasks;
	struct flow_execution *executed; /* already, and to be recorded with it; or NULL */
};

static int
creation_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct creation *c = ctx;
	const struct tsb_request *rq = c->rq;
	struct store_audit audit = {
	    .request_id = &rq->id,
	    .action = "create",
	    .actor = ACTOR_CALLER,
	    .to = tsb_state_names[rq->state],
	    .detail = tsb_kinds[rq->kind].name,
	};

	if (c->key != NULL && !flow_key_is_stored(c->f, c->key) &&
	    store_key_attributes_insert(tx, &c->key->attributes, err))
		return -1;
	if (store_request_insert(tx, rq, err) ||
	    (c->ntasks > 0 && store_tasks_insert(tx, rq->kind, c->tasks, c->ntasks, err)))
		return -1;
	if (store_audit_insert(tx, &audit, err))
		return -1;
	return c->executed == NULL ? 0 : flow_execution_record_in(c->f, tx, c->executed, err);
}

static int
create(struct creation *c, struct tsb_err *err)
{
	if (store_transact(c->f->store, "request_create", creation_body, c, err))
		return -1;
	if (c->key != NULL)
		flow_key_stored(c->f, c->key->digest);
	return 0;
}

/* What the HSM is asked to stamp: the payload of the token to be approved. */
static void
stamp_fill(const struct tsb_request_in *in, struct tsb_view payload,
    struct wire_timestamp_request *ask)
{
	const struct tsb_kind_row *row = &tsb_kinds[in->kind];

	*ask = (struct wire_timestamp_request){
	    .key_name = in->key_name,
	    .key_password = in->key_password,
	    .operation = row->operation,
	    .payload = payload,
	    .algorithm = row->needs == ATTR_SIGN ? in->algorithm : NULL,
	    .cipher = row->needs == ATTR_DECRYPT ? in->algorithm : NULL,
	    .wrap_method = in->wrap_method,
	};
}

static struct tsb_view
token_make(const struct tsb_request_in *in, struct tsb_view payload, const struct flow_stamp *known,
    struct arena *a)
{
	struct ska_approval_token token = {
	    .operation = tsb_kinds[in->kind].operation,
	    .label = tsb_view_str(in->key_name),
	    .has_timestamp = known->stamped,
	    .timestamp.whole = known->timestamp,
	    .timestamp_signature = known->signature,
	    .has_payload = payload.n > 0,
	    .payload = payload,
	};
	tsb_bytes_auto bytes = {0};

	ska_approval_token_format(&token, &bytes);
	return arena_view(a, tsb_view_bytes(&bytes));
}

static int
password_seal(struct flow *f, const struct tsb_request_in *in, struct tsb_request *rq,
    struct arena *a, struct tsb_err *err)
{
	struct tsb_view secret = in->secret.n > 0 ? in->secret : in->key_password;
	tsb_bytes_auto box = {0};

	if (secret.n == 0)
		return 0;
	if (!f->files.has_secret)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT,
		    "a key password cannot be kept: the broker has no general.secretKeyFile");
	crypto_box_seal(f->files.secret, tsb_view_of(rq->id.b, sizeof(rq->id.b)), secret, &box);
	rq->password_box = arena_view(a, tsb_view_bytes(&box));
	return 0;
}

/* What the key must be like, told from its attributes; the HSM checks it again. */
static int
attributes_check(const struct tsb_request_in *in, const struct flow_key *key, struct tsb_err *err)
{
	const struct keyattr *attr = &key->parsed;
	enum keyattr_flag need = tsb_kinds[in->kind].needs;

	if (need == ATTR__MAX && !attr->has_policy)
		return tsb_fail(err, TSB_E_KEY_TYPE,
		    "key '%s' has no policy: it cannot be blocked, unblocked or modified",
		    in->key_name);
	if (need != ATTR__MAX && attr->has_policy && attr->policy.blocked)
		return tsb_fail(err, TSB_E_FORBIDDEN_FOR_KEY, "key '%s' is blocked", in->key_name);
	if (need != ATTR__MAX && !attr->flag[need])
		return tsb_fail(err, TSB_E_FORBIDDEN_FOR_KEY,
		    "key '%s' may not be used for %s: its attribute %s is false", in->key_name,
		    tsb_kinds[in->kind].envelope, keyattr_flag_json[need]);
	return 0;
}

/* Do not ask for approval of what the HSM will refuse to sign. */
static int
algorithm_check(const struct tsb_request_in *in, const struct flow_key *key, struct tsb_err *err)
{
	if (tsb_kinds[in->kind].effect != EFFECT_SIGNATURE || key->parsed.public_key.n == 0)
		return 0;
	return crypto_signature_fits(key->parsed.public_key, in->algorithm, in->payload.n, err);
}

/*
 * Without attributes only the HSM can check the key; but somebody must be there to approve. An HSM
 * that stamps was told the algorithm, and has checked it: to decode the public key once more is
 * most of what a request costs this process.
 */
static int
key_check(const struct flow *f, const struct tsb_request_in *in, const struct flow_stamp *known,
    struct tsb_err *err)
{
	const struct flow_key *key = known->key;

	if (key != NULL && attributes_check(in, key, err))
		return -1;
	if (key != NULL)
		return known->stamped ? 0 : algorithm_check(in, key, err);
	if (f->files.noffline_approvers > 0)
		return 0;
	return tsb_fail(err, TSB_E_KEY_NOT_EXISTENT,
	    "key '%s' is not known here: import the attributes that its HSM has signed (POST "
	    "/v1/key/import/attributes), or name the approvers of such keys in airGapped.approverFile",
	    in->key_name);
}

/* An unwrap makes a key: its name must be free now, and the HSM checks again when it happens. */
static int
new_label_check(struct flow *f, const struct tsb_request_in *in, struct tsb_err *err)
{
	bool exists;

	if (tsb_kinds[in->kind].effect != EFFECT_NEW_KEY)
		return 0;
	if (f->air_gapped ? f->rooms->gap->key_exists(f, in->unwrap.label, &exists, err)
			  : flow_hsm_key_exists(f, in->unwrap.label, &exists, err))
		return -1;
	if (exists)
		return tsb_fail(err, TSB_E_KEY_EXISTS,
		    "unwrapKeyRequest.label: the key name '%s' is already in use",
		    in->unwrap.label);
	return 0;
}

/* The broker itself asks for internal kinds, and its caller has proven another role. */
static int
signature_check(const struct flow *f, const struct tsb_request_in *in, struct tsb_err *err)
{
	return tsb_kinds[in->kind].internal ? 0 : flow_signer_check_request(f, in, err);
}

static void
claim_own(const struct flow *f, struct tsb_request *rq)
{
	rq->state = STATE_APPROVED;
	rq->due_ms = rq->created_ms;
	rq->owner = f->owner;
	rq->lease_ms = rq->created_ms + f->conf->lease * 1000;
	rq->attempt = 1;
	rq->fence = 1;
}

/*
 * State of a new request: claimed by this process where nothing has to be approved or awaited,
 * unless there is no HSM. *asks: approvers get tasks.
 */
static int
first_state(struct flow *f, struct tsb_request *rq, const struct ska_rule *rule, bool stamped,
    bool *asks, struct tsb_err *err)
{
	struct ska_verdict v;
	struct store_change change;
	int64_t t0 = flow_request_t0(rq);

	*asks = false;
	if (rule != NULL && !stamped && rule->ntokens > 0 &&
	    !ska_rule_works_without_timestamp(rule))
		return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
		    "%s of key '%s' has only tokens with timelock or timeout, and %s",
		    ska_rule_names[tsb_kind_rule(rq->kind)], rq->key_name,
		    f->air_gapped ? "approvals given without an HSM carry no timestamp"
				  : "this HSM issues no timestamps");
	if (rule != NULL) {
		ska_evaluate(rule, NULL, 0, stamped, t0, t0, &v);
		change = flow_change_by_verdict(f, rq, &v);
		if (tsb_state_terminal(change.to))
			return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
			    "%s of key '%s' can never be fulfilled",
			    ska_rule_names[tsb_kind_rule(rq->kind)], rq->key_name);
		rq->state = change.to;
		rq->due_ms = change.due_ms;
		rq->expires_ms = change.expires_ms;
		*asks = !v.met;
	}
	if (*asks)
		return 0;
	if (f->air_gapped) {
		rq->state = STATE_PENDING;
		return 0;
	}
	claim_own(f, rq);
	return 0;
}

static int
request_fill(struct flow *f, const struct tsb_request_in *in, struct tsb_view payload,
    const struct flow_stamp *known, struct arena *a, struct tsb_request *rq, struct tsb_err *err)
{
	*rq = (struct tsb_request){
	    .id = uuid_new(),
	    .kind = in->kind,
	    .version = 1,
	    .key_name = in->key_name,
	    .created_ms = clock_now_ms(),
	    .hsm_seconds = (int64_t)known->seconds,
	    .token = token_make(in, payload, known, a),
	    .by_token = f->air_gapped, /* as results may come back */
	    .payload_type = in->payload_type,
	    .meta_data = in->meta_data,
	    .meta_data_signature = in->meta_data_signature,
	    .inner_clean = in->inner_clean,
	};
	if (known->key != NULL)
		memcpy(rq->attributes_digest, known->key->digest, TSB_SHA256);
	memcpy(rq->plan_digest, rq->attributes_digest, TSB_SHA256);
	if (in->key_password.n == 0)
		rq->envelope = in->envelope;
	return password_seal(f, in, rq, a, err);
}

/* A password is of no use here and is not carried: the offline operator gives it. */
static void
password_drop(struct tsb_request_in *in)
{
	if (in->key_password.n == 0)
		return;
	in->key_password = tsb_view_of(NULL, 0);
	in->envelope = tsb_view_of(NULL, 0);
}

/* What is known about the key: from the HSM, or from its import. */
static int
stamp(struct flow *f, const struct tsb_request_in *in, struct tsb_view payload, struct arena *a,
    struct flow_stamp *out, struct tsb_err *err)
{
	struct wire_timestamp_request ask;

	if (f->air_gapped) {
		*out = (struct flow_stamp){0};
		return f->rooms->gap->key(f, NULL, in->key_name, &out->key, err);
	}
	stamp_fill(in, payload, &ask);
	return flow_hsm_stamp(f, &ask, a, out, err);
}

/* Seen for the first time: who changed the key without this broker changed the policy, perhaps. */
static void
key_is_new(struct flow *f, const struct creation *c)
{
	struct tsb_err err;

	if (flow_requests_plan_anew(f, c->rq->key_name, c->key, &err))
		log_failure(LOG_WARN, "requests that wait are not planned anew", &err);
}

/*
 * The key of an approver is given to whoever asks for its restoration: somebody has to be asked.
 * The rule is the one under which this very request would run.
 */
static int
guard_check(const struct tsb_request_in *in, const struct ska_rule *rule, struct tsb_err *err)
{
	if (rule != NULL && !ska_rule_asks_nobody(rule))
		return 0;
	return tsb_fail(err, TSB_E_NOT_ALLOWED,
	    "an approver is restored only with the approvals of the backup key '%s', whose ruleUse "
	    "asks nobody: name its approvers first, as with tsb key modify %s --approvers "
	    "anna.pub.pem,bert.pub.pem,cora.pub.pem --quorum 2",
	    in->key_name, in->key_name);
}

/* A key that this process knows and that has no policy: nobody is asked, and no time matters. */
static const struct flow_key *
key_without_policy(struct flow *f, const struct tsb_request_in *in)
{
	const struct flow_key *key;

	if (f->air_gapped || tsb_kinds[in->kind].internal || tsb_kind_certifies(in->kind) ||
	    !tsb_kind_repeatable(in->kind))
		return NULL;
	key = flow_key_seen(f, in->key_name);
	return key == NULL || key->parsed.has_policy ? NULL : key;
}

/*
 * What may be done twice, and asks nobody, is done before anything is written: a request that the
 * database does not get was never acknowledged. *done false: the HSM does not do it, and says why
 * when it is asked in the ordinary way; the key may be another one now.
 */
static int
create_executed(struct flow *f, const struct tsb_request_in *in, struct tsb_view payload,
    struct arena *a, struct tsb_uuid *id, bool *done, struct tsb_err *err)
{
	const struct flow_stamp known = {.key = key_without_policy(f, in)};
	struct tsb_request rq;
	struct creation c = {.f = f, .rq = &rq, .key = known.key};
	int rc;

	*done = false;
	if (known.key == NULL)
		return 0;
	if (request_fill(f, in, payload, &known, a, &rq, err))
		return -1;
	claim_own(f, &rq);
	if (flow_execute_unwritten(f, &rq, &c.executed, err))
		return -1;
	if (c.executed == NULL)
		return 0;
	rc = create(&c, err);
	flow_execution_free(&c.executed);
	*id = rq.id;
	*done = rc == 0;
	return rc;
}

int
flow_request_create(struct flow *f, const struct tsb_request_in *asked, struct arena *a,
    struct tsb_uuid *id, struct tsb_err *err)
{
	struct tsb_request_in own = *asked, *in = &own;
	struct flow_stamp known;
	struct tsb_request rq;
	struct creation c = {.f = f, .rq = &rq};
	const struct ska_rule *rule;
	struct tsb_view payload;
	bool asks, done;

	/*
	 * the broker restores the approver's key with what its HSM decrypts: no HSM, no
	 * restoration
	 */
	if (tsb_kinds[in->kind].internal && flow_hsm_need(f, err))
		return -1;
	if (f->air_gapped)
		password_drop(in);
	if (signature_check(f, in, err) || flow_payload(f, in, a, &payload, err) ||
	    create_executed(f, in, payload, a, id, &done, err))
		return -1;
	if (done)
		return 0;
	if (stamp(f, in, payload, a, &known, err) || key_check(f, in, &known, err) ||
	    new_label_check(f, in, err) || request_fill(f, in, payload, &known, a, &rq, err))
		return -1;
	rule = known.key == NULL ? flow_unknown_rule(f, NULL, 0, a)
				 : flow_request_rule(known.key, in->kind);
	if (tsb_kinds[in->kind].internal && guard_check(in, rule, err))
		return -1;
	if (first_state(f, &rq, rule, known.stamped, &asks, err))
		return -1;
	if (asks)
		c.tasks = flow_plan_tasks(&rq, rule, a, &c.ntasks);
	c.key = known.key;
	c.new_key = known.new_key;
	if (create(&c, err))
		return -1;
	*id = rq.id;
	if (c.new_key)
		key_is_new(f, &c);
	if (rq.owner != NULL) {
		struct tsb_err later;

		/* the request exists: later failures are recorded with it, not returned */
		if (flow_execute_claimed(f, &rq, &later))
			log_failure(LOG_WARN, "execution", &later);
	}
	return 0;
}
