// Asks for a signature and waits for it: node sign-and-poll.mjs KEY FILE
import { readFile } from "node:fs/promises";

const [key, file] = process.argv.slice(2);
if (file === undefined) {
	console.error("usage: sign-and-poll.mjs KEY FILE");
	process.exit(2);
}

async function call(path, body) {
	const answer = await fetch(process.env.TSB_URL + path, {
		method: body ? "POST" : "GET",
		headers: { "X-API-KEY": process.env.TSB_KEY_OPERATION_TOKEN, "Content-Type": "application/json" },
		body: body && JSON.stringify(body),
	});
	const value = await answer.json();
	if (!answer.ok) {
		console.error(`${answer.status}: ${value.message}`);
		process.exit(1);
	}
	return value;
}

const payload = (await readFile(file)).toString("base64");
const { signRequestId } = await call("/v1/sign", {
	signRequest: { payload, signKeyName: key, signatureAlgorithm: "SHA256_WITH_ECDSA" },
});
console.error(`request ${signRequestId}`);
for (;;) {
	const { status, result } = await call(`/v1/request/${signRequestId}`);
	if (status === "EXECUTED") {
		console.log(result);
		break;
	}
	if (status !== "PENDING" && status !== "APPROVED") {
		console.error(`${status}: ${result}`);
		process.exit(1);
	}
	await new Promise((wake) => setTimeout(wake, 1000));
}
