import java.util.List;

import org.openapitools.client.ApiClient;
import org.openapitools.client.api.KeysApi;
import org.openapitools.client.api.RequestsApi;
import org.openapitools.client.model.*;

/** Creates a key, asks for a signature and polls, with the Java client of openapi-generator. */
public class UseOpenapiGenerator {
	static ApiClient client(String token) {
		ApiClient client = new ApiClient();
		client.setBasePath(System.getenv("TSB_URL"));
		client.setApiKey(System.getenv(token));
		return client;
	}

	public static void main(String[] arguments) throws Exception {
		String name = System.getenv("KEY");
		Approver approver = new Approver().type(Approver.TypeEnum.PUBLIC_KEY).name("anna")
			.value(System.getenv("APPROVER"));
		PolicyGroup group = new PolicyGroup().quorum(1).approvals(List.of(approver));
		Rule rule = new Rule().tokens(List.of(new PolicyToken().timelock(0).timeout(0).groups(List.of(group))));
		KeyAttributes attributes = new KeysApi(client("TSB_KEY_MANAGEMENT_TOKEN")).createKey(new CreateKey()
			.label(name).algorithm("EC").curveOid("1.2.840.10045.3.1.7")
			.attributes(new KeyFlags().decrypt(false).sign(true).unwrap(false))
			.policy(new Policy().ruleUse(rule).ruleModify(rule)));
		if (attributes.getJson().getPolicy().getRuleUse().getTokens().get(0).getGroups().get(0).getQuorum() != 1)
			throw new AssertionError(attributes);

		RequestsApi application = new RequestsApi(client("TSB_KEY_OPERATION_TOKEN"));
		SignRequestId made = application.requestSignature(new SignEnvelope().signRequest(
			new SignEnvelopeSignRequest().payload(System.getenv("PAYLOAD")).signKeyName(name)
				.signatureAlgorithm("SHA256_WITH_ECDSA")));
		System.out.println("request " + made.getSignRequestId());
		Request request;
		while ((request = application.getRequest(made.getSignRequestId(), null)).getStatus() == RequestStatus.PENDING
			|| request.getStatus() == RequestStatus.APPROVED)
			Thread.sleep(100);
		System.out.println(request.getStatus() + " " + request.getResult());
		System.exit(0);
	}
}
