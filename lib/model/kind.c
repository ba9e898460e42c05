#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/model/kind.h"

#define ASKED_BY(role) TSB_ROLE_BIT(TSB_ROLE_##role)
/* Certificates: clients differ in the key that they send. */
#define ASKED_BY_BOTH (ASKED_BY(KEY_OPERATION) | ASKED_BY(KEY_MANAGEMENT))

const struct tsb_kind_row tsb_kinds[KIND__MAX] = {
    [KIND_SIGN] =
	{
	    .name = "sign",
	    .title = "sign",
	    .askers = ASKED_BY(KEY_OPERATION),
	    .path = "/v1/sign",
	    .at_once_path = "/v1/synchronousSign",
	    .task_path = "/v1/filteredSignApprovalTask",
	    .envelope = "signRequest",
	    .key_member = "signKeyName",
	    .password_member = "keyPassword",
	    .algorithm_member = "signatureAlgorithm",
	    .bytes_member = "payload",
	    .payload_type = "UNSPECIFIED",
	    .id_member = "signRequestId",
	    .task_member = "signedSignRequest",
	    .operation = OP_USE,
	    .needs = ATTR_SIGN,
	    .content = CONTENT_BYTES,
	    .effect = EFFECT_SIGNATURE,
	    .executed = KIND_SIGN,
	    .role = TSB_ROLE_KEY_OPERATION,
	    .answer_member = "signature",
	    .failure = "Error creating signature.",
	},
    [KIND_DECRYPT] =
	{
	    .name = "decrypt",
	    .title = "decrypt",
	    .askers = ASKED_BY(KEY_OPERATION),
	    .path = "/v1/decrypt",
	    .at_once_path = "/v1/synchronousDecrypt",
	    .task_path = "/v1/filteredDecryptApprovalTask",
	    .envelope = "decryptRequest",
	    .key_member = "decryptKeyName",
	    .password_member = "keyPassword",
	    .algorithm_member = "cipherAlgorithm",
	    .bytes_member = "encryptedPayload",
	    .id_member = "decryptRequestId",
	    .task_member = "signedDecryptRequest",
	    .operation = OP_USE,
	    .needs = ATTR_DECRYPT,
	    .content = CONTENT_BYTES,
	    .effect = EFFECT_PLAIN_TEXT,
	    .executed = KIND_DECRYPT,
	    .role = TSB_ROLE_KEY_OPERATION,
	    .answer_member = "payload",
	    .failure = "Error decrypting.",
	},
    [KIND_UNWRAP] =
	{
	    .name = "unwrap",
	    .title = "unwrap a key",
	    .askers = ASKED_BY(KEY_OPERATION),
	    .path = "/v1/unwrap",
	    .at_once_path = "/v1/synchronousUnwrap",
	    .task_path = "/v1/filteredUnwrapKeyApprovalTask",
	    .envelope = "unwrapKeyRequest",
	    .key_member = "unwrapKeyName",
	    .password_member = "unwrapKeyPassword",
	    .id_member = "unwrapRequestId",
	    .task_member = "signedUnwrapKeyRequest",
	    .operation = OP_USE,
	    .needs = ATTR_UNWRAP,
	    .content = CONTENT_NEW_KEY,
	    .effect = EFFECT_NEW_KEY,
	    .executed = KIND_UNWRAP,
	    .role = TSB_ROLE_KEY_OPERATION,
	    .failure = "Error unwrapping key.",
	},
    [KIND_BLOCK] =
	{
	    .name = "block",
	    .title = "block the key",
	    .askers = ASKED_BY(KEY_OPERATION),
	    .path = "/v1/block",
	    .at_once_path = "/v1/synchronousBlock",
	    .task_path = "/v1/filteredBlockKeyApprovalTask",
	    .envelope = "blockRequest",
	    .key_member = "blockKeyName",
	    .password_member = "keyPassword",
	    .id_member = "blockKeyRequestId",
	    .task_member = "signedBlockKeyRequest",
	    .operation = OP_BLOCK,
	    .needs = ATTR__MAX,
	    .content = CONTENT_NONE,
	    .effect = EFFECT_BLOCKED,
	    .executed = KIND_BLOCK,
	    .role = TSB_ROLE_KEY_OPERATION,
	    .failure = "Error blocking key.",
	},
    [KIND_UNBLOCK] =
	{
	    .name = "unblock",
	    .title = "unblock the key",
	    .askers = ASKED_BY(KEY_OPERATION),
	    .path = "/v1/unblock",
	    .at_once_path = "/v1/synchronousUnblock",
	    .task_path = "/v1/filteredUnblockKeyApprovalTask",
	    .envelope = "unblockRequest",
	    .key_member = "unblockKeyName",
	    .password_member = "keyPassword",
	    .id_member = "unblockKeyRequestId",
	    .task_member = "signedUnblockKeyRequest",
	    .operation = OP_UNBLOCK,
	    .needs = ATTR__MAX,
	    .content = CONTENT_NONE,
	    .effect = EFFECT_UNBLOCKED,
	    .executed = KIND_UNBLOCK,
	    .role = TSB_ROLE_KEY_OPERATION,
	    .failure = "Error unblocking key.",
	},
    [KIND_MODIFY] =
	{
	    .name = "modify",
	    .title = "replace the policy",
	    .askers = ASKED_BY(KEY_MANAGEMENT),
	    .path = "/v1/modify",
	    .at_once_path = "/v1/synchronousModify",
	    .task_path = "/v1/filteredModifyKeyApprovalTask",
	    .envelope = "modifyRequest",
	    .key_member = "modifyKeyName",
	    .password_member = "keyPassword",
	    .id_member = "modifyKeyRequestId",
	    .task_member = "signedModifyKeyRequest",
	    .operation = OP_MODIFY,
	    .needs = ATTR__MAX,
	    .content = CONTENT_POLICY,
	    .effect = EFFECT_POLICY,
	    .executed = KIND_MODIFY,
	    .role = TSB_ROLE_KEY_MANAGEMENT,
	    .failure = "Error modifying key.",
	},
    [KIND_CERTIFICATE_REQUEST] =
	{
	    .name = "certificateRequest",
	    .title = "sign a certificate request for the key itself",
	    .askers = ASKED_BY_BOTH,
	    .path = "/v1/certificate/request",
	    .at_once_path = "/v1/certificate/synchronous/request",
	    .download_path = "/v1/certificate/synchronous/request/download",
	    .task_path = "/v1/filteredCertificateRequestApprovalTask",
	    .envelope = "csrSignRequest",
	    .key_member = "signKeyName",
	    .password_member = "keyPassword",
	    .algorithm_member = "signatureAlgorithm",
	    .id_member = "signRequestId",
	    .task_member = "signedCertificateRequestRequest",
	    .operation = OP_USE,
	    .needs = ATTR_SIGN,
	    .content = CONTENT_CERTIFICATE_REQUEST,
	    .effect = EFFECT_CERTIFICATE,
	    .executed = KIND_SIGN,
	},
    [KIND_SIGN_CERTIFICATE] =
	{
	    .name = "signCertificate",
	    .title = "sign a certificate for somebody",
	    .askers = ASKED_BY_BOTH,
	    .path = "/v1/certificate/sign",
	    .at_once_path = "/v1/certificate/synchronous/sign",
	    .task_path = "/v1/filteredSignCertificateApprovalTask",
	    .envelope = "signCertificateRequest",
	    .key_member = "signKeyName",
	    .password_member = "keyPassword",
	    .algorithm_member = "signatureAlgorithm",
	    .id_member = "signRequestId",
	    .task_member = "signedSignCertificateRequest",
	    .operation = OP_USE,
	    .needs = ATTR_SIGN,
	    .content = CONTENT_CERTIFICATE,
	    .effect = EFFECT_CERTIFICATE,
	    .executed = KIND_SIGN,
	},
    [KIND_SELF_SIGN_CERTIFICATE] =
	{
	    .name = "selfSignCertificate",
	    .title = "sign a certificate for the key itself",
	    .askers = ASKED_BY_BOTH,
	    .path = "/v1/certificate/selfsign",
	    .at_once_path = "/v1/certificate/synchronous/selfsign",
	    .at_once_alias = "/v1/certificate/synchronous/create/selfSigned",
	    .task_path = "/v1/filteredSelfSignCertificateApprovalTask",
	    .envelope = "selfSignCertificateRequest",
	    .key_member = "signKeyName",
	    .password_member = "keyPassword",
	    .algorithm_member = "signatureAlgorithm",
	    .id_member = "signRequestId",
	    .task_member = "signedSelfSignCertificateRequestDto",
	    .operation = OP_USE,
	    .needs = ATTR_SIGN,
	    .content = CONTENT_SELF_SIGNED,
	    .effect = EFFECT_CERTIFICATE,
	    .executed = KIND_SIGN,
	},
    /* a decryption with the backup key is what the HSM does and what approvers see and sign */
    [KIND_RESTORE_APPROVER] =
	{
	    .name = "restoreApprover",
	    .title = "restore the key of an approver",
	    .askers = ASKED_BY(APPROVER_MANAGEMENT),
	    .path = "/v1/approverManagement/restoreFromBackup/forgotPassword",
	    .internal = true,
	    .task_path = "/v1/filteredUnwrapKeyApprovalTask",
	    .envelope = "decryptRequest",
	    .key_member = "decryptKeyName",
	    .password_member = "keyPassword",
	    .algorithm_member = "cipherAlgorithm",
	    .bytes_member = "encryptedPayload",
	    .id_member = "unwrapRequestId",
	    .task_member = "signedDecryptRequest",
	    .operation = OP_USE,
	    .needs = ATTR_DECRYPT,
	    .content = CONTENT_BYTES,
	    .effect = EFFECT_CODE,
	    .executed = KIND_DECRYPT,
	},
};

bool
tsb_kind_by_name(const char *name, enum tsb_kind *out)
{
	for (int k = 0; k < KIND__MAX; k++) {
		if (!tsb_streq(tsb_kinds[k].name, name))
			continue;
		*out = (enum tsb_kind)k;
		return true;
	}
	return false;
}

const struct tsb_kind_row *
tsb_kind_executed(enum tsb_kind kind)
{
	return &tsb_kinds[tsb_kinds[kind].executed];
}

bool
tsb_kind_repeatable(enum tsb_kind kind)
{
	switch (tsb_kinds[kind].effect) {
	case EFFECT_SIGNATURE:
	case EFFECT_PLAIN_TEXT:
	case EFFECT_CERTIFICATE: /* one of the same content takes its place at the key */
	case EFFECT_CODE:
		return true;
	case EFFECT_BLOCKED:
	case EFFECT_UNBLOCKED:
	case EFFECT_POLICY:
	case EFFECT_NEW_KEY:
		break;
	}
	return false;
}

bool
tsb_kind_certifies(enum tsb_kind kind)
{
	return tsb_kinds[kind].effect == EFFECT_CERTIFICATE;
}

enum ska_rule_kind
tsb_kind_rule(enum tsb_kind kind)
{
	return ska_operation_rule(tsb_kinds[kind].operation);
}

enum tsb_kind
tsb_kind_listed_as(enum tsb_kind kind)
{
	int k = 0;

	while (!tsb_streq(tsb_kinds[k].task_path, tsb_kinds[kind].task_path))
		k++;
	return (enum tsb_kind)k;
}
