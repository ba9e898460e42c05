import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Asks for a signature and waits for it: java SignAndPoll.java KEY FILE */
public class SignAndPoll {
	static final HttpClient CLIENT = HttpClient.newHttpClient();

	/** Java brings no JSON reader; these answers are flat, and their texts have no escapes that matter here. */
	static String member(String json, String name) {
		Matcher m = Pattern.compile("\"" + name + "\":\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(json);
		return m.find() ? m.group(1).replace("\\/", "/") : null;
	}

	static String quoted(String text) {
		return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
	}

	static String call(String path, String body) throws Exception {
		HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(System.getenv("TSB_URL") + path))
			.timeout(Duration.ofMinutes(1))
			.header("X-API-KEY", System.getenv("TSB_KEY_OPERATION_TOKEN"))
			.header("Content-Type", "application/json");
		if (body != null)
			request.POST(BodyPublishers.ofString(body));
		var answer = CLIENT.send(request.build(), BodyHandlers.ofString());
		if (answer.statusCode() >= 400) {
			System.err.println(answer.statusCode() + ": " + member(answer.body(), "message"));
			System.exit(1);
		}
		return answer.body();
	}

	public static void main(String[] arguments) throws Exception {
		if (arguments.length != 2) {
			System.err.println("usage: SignAndPoll KEY FILE");
			System.exit(2);
		}
		String payload = Base64.getEncoder().encodeToString(Files.readAllBytes(Path.of(arguments[1])));
		String id = member(call("/v1/sign", "{\"signRequest\":{\"payload\":\"" + payload + "\",\"signKeyName\":"
			+ quoted(arguments[0]) + ",\"signatureAlgorithm\":\"SHA256_WITH_ECDSA\"}}"), "signRequestId");
		System.err.println("request " + id);
		for (;;) {
			String request = call("/v1/request/" + id, null);
			String status = member(request, "status");
			if (status.equals("EXECUTED")) {
				System.out.println(member(request, "result"));
				return;
			}
			if (!status.equals("PENDING") && !status.equals("APPROVED")) {
				System.err.println(status + ": " + member(request, "result"));
				System.exit(1);
			}
			Thread.sleep(1000);
		}
	}
}
