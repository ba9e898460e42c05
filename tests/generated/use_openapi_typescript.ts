// Creates a key, asks for a signature and polls, with the types of openapi-typescript and openapi-fetch.
import createClient from "openapi-fetch";

import type { components, paths } from "./tsb.js";

const env = (name: string): string => {
	const value = process.env[name];
	if (value === undefined) throw new Error(`${name} is not set`);
	return value;
};
const client = (token: string) =>
	createClient<paths>({ baseUrl: env("TSB_URL"), headers: { "X-API-KEY": env(token) } });

const rule: components["schemas"]["Rule"] = {
	tokens: [{ timelock: 0, timeout: 0, groups: [{ quorum: 1,
		approvals: [{ type: "public_key", name: "anna", value: env("APPROVER") }] }] }],
};
const key = await client("TSB_KEY_MANAGEMENT_TOKEN").POST("/v1/key", {
	body: { label: env("KEY"), algorithm: "EC", curveOid: "1.2.840.10045.3.1.7",
		attributes: { decrypt: false, sign: true, unwrap: false }, policy: { ruleUse: rule, ruleModify: rule } },
});
if (key.error) throw new Error(key.error.message);
if (key.data.json.policy?.ruleUse?.tokens?.[0]?.groups?.[0]?.quorum !== 1) throw new Error("another policy");

const application = client("TSB_KEY_OPERATION_TOKEN");
const made = await application.POST("/v1/sign", { body: { signRequest: {
	payload: env("PAYLOAD"), signKeyName: env("KEY"), signatureAlgorithm: "SHA256_WITH_ECDSA" } } });
if (made.error) throw new Error(made.error.message);
const id = made.data.signRequestId;
console.log(`request ${id}`);
for (;;) {
	const { data, error } = await application.GET("/v1/request/{id}", { params: { path: { id } } });
	if (error) throw new Error(error.message);
	if (data.status !== "PENDING" && data.status !== "APPROVED") {
		console.log(`${data.status} ${data.result}`);
		break;
	}
	await new Promise((wake) => setTimeout(wake, 100));
}
