#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/model/kind.h"

/*
 * Repeatable kinds only read the key: a second result replaces a lost first one. The others change
 * an object, so that their effect has to be looked up before they may be tried again. Certificates
 * are signatures to the HSM; storing a self-signed one again puts another of the same content in
 * its place.
 */
const struct tsb_kind_row tsb_kinds[KIND__MAX] = {
    [KIND_SIGN] =
	{
	    .name = "sign",
	    .envelope = "signRequest",
	    .key_member = "signKeyName",
	    .password_member = "keyPassword",
	    .id_member = "signRequestId",
	    .task_member = "signedSignRequest",
	    .synchronous_path = "/v1/synchronousSign",
	    .result_member = "signature",
	    .rule = RULE_USE,
	    .operation = OP_USE,
	    .repeatable = true,
	},
    [KIND_DECRYPT] =
	{
	    .name = "decrypt",
	    .envelope = "decryptRequest",
	    .key_member = "decryptKeyName",
	    .password_member = "keyPassword",
	    .id_member = "decryptRequestId",
	    .task_member = "signedDecryptRequest",
	    .synchronous_path = "/v1/synchronousDecrypt",
	    .result_member = "payload",
	    .rule = RULE_USE,
	    .operation = OP_USE,
	    .repeatable = true,
	},
    [KIND_UNWRAP] =
	{
	    .name = "unwrap",
	    .envelope = "unwrapKeyRequest",
	    .key_member = "unwrapKeyName",
	    .password_member = "unwrapKeyPassword",
	    .id_member = "unwrapRequestId",
	    .task_member = "signedUnwrapKeyRequest",
	    .synchronous_path = "/v1/synchronousUnwrap",
	    .rule = RULE_USE,
	    .operation = OP_USE,
	},
    [KIND_BLOCK] =
	{
	    .name = "block",
	    .envelope = "blockRequest",
	    .key_member = "blockKeyName",
	    .password_member = "keyPassword",
	    .id_member = "blockKeyRequestId",
	    .task_member = "signedBlockKeyRequest",
	    .synchronous_path = "/v1/synchronousBlock",
	    .rule = RULE_BLOCK,
	    .operation = OP_BLOCK,
	},
    [KIND_UNBLOCK] =
	{
	    .name = "unblock",
	    .envelope = "unblockRequest",
	    .key_member = "unblockKeyName",
	    .password_member = "keyPassword",
	    .id_member = "unblockKeyRequestId",
	    .task_member = "signedUnblockKeyRequest",
	    .synchronous_path = "/v1/synchronousUnblock",
	    .rule = RULE_UNBLOCK,
	    .operation = OP_UNBLOCK,
	},
    [KIND_MODIFY] =
	{
	    .name = "modify",
	    .envelope = "modifyRequest",
	    .key_member = "modifyKeyName",
	    .password_member = "keyPassword",
	    .id_member = "modifyKeyRequestId",
	    .task_member = "signedModifyKeyRequest",
	    .synchronous_path = "/v1/synchronousModify",
	    .rule = RULE_MODIFY,
	    .operation = OP_MODIFY,
	},
    [KIND_CERTIFICATE_REQUEST] =
	{
	    .name = "certificateRequest",
	    .envelope = "csrSignRequest",
	    .key_member = "signKeyName",
	    .password_member = "keyPassword",
	    .id_member = "signRequestId",
	    .task_member = "signedCertificateRequestRequest",
	    .synchronous_path = "/v1/synchronousSign",
	    .result_member = "signature",
	    .rule = RULE_USE,
	    .operation = OP_USE,
	    .repeatable = true,
	},
    [KIND_SIGN_CERTIFICATE] =
	{
	    .name = "signCertificate",
	    .envelope = "signCertificateRequest",
	    .key_member = "signKeyName",
	    .password_member = "keyPassword",
	    .id_member = "signRequestId",
	    .task_member = "signedSignCertificateRequest",
	    .synchronous_path = "/v1/synchronousSign",
	    .result_member = "signature",
	    .rule = RULE_USE,
	    .operation = OP_USE,
	    .repeatable = true,
	},
    [KIND_SELF_SIGN_CERTIFICATE] =
	{
	    .name = "selfSignCertificate",
	    .envelope = "selfSignCertificateRequest",
	    .key_member = "signKeyName",
	    .password_member = "keyPassword",
	    .id_member = "signRequestId",
	    .task_member = "signedSelfSignCertificateRequestDto",
	    .synchronous_path = "/v1/synchronousSign",
	    .result_member = "signature",
	    .rule = RULE_USE,
	    .operation = OP_USE,
	    .repeatable = true,
	},
    /* a decryption with the backup key is what the HSM does and what approvers see and sign */
    [KIND_RESTORE_APPROVER] =
	{
	    .name = "restoreApprover",
	    .envelope = "decryptRequest",
	    .key_member = "decryptKeyName",
	    .password_member = "keyPassword",
	    .id_member = "unwrapRequestId",
	    .task_member = "signedDecryptRequest",
	    .synchronous_path = "/v1/synchronousDecrypt",
	    .result_member = "payload",
	    .rule = RULE_USE,
	    .operation = OP_USE,
	    .repeatable = true,
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
