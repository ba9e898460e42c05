// Asks for a signature and waits for it: go run sign_and_poll.go KEY FILE
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}

// call sends body, if there is one, and reads the answer into value.
func call(method, path string, body, value any) {
	sent, _ := json.Marshal(body)
	request, err := http.NewRequest(method, os.Getenv("TSB_URL")+path, bytes.NewReader(sent))
	if err != nil {
		fail("%v", err)
	}
	request.Header.Set("X-API-KEY", os.Getenv("TSB_KEY_OPERATION_TOKEN"))
	request.Header.Set("Content-Type", "application/json")
	answer, err := (&http.Client{Timeout: time.Minute}).Do(request)
	if err != nil {
		fail("%v", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 400 {
		var problem struct{ Message string }
		json.NewDecoder(answer.Body).Decode(&problem)
		fail("%s: %s", answer.Status, problem.Message)
	}
	if err := json.NewDecoder(answer.Body).Decode(value); err != nil {
		fail("%v", err)
	}
}

func main() {
	if len(os.Args) != 3 {
		fail("usage: sign_and_poll KEY FILE")
	}
	payload, err := os.ReadFile(os.Args[2])
	if err != nil {
		fail("%v", err)
	}
	var made struct{ SignRequestId string }
	call("POST", "/v1/sign", map[string]any{"signRequest": map[string]any{
		"payload": payload, // a []byte is base64 in JSON
		"signKeyName": os.Args[1], "signatureAlgorithm": "SHA256_WITH_ECDSA"}}, &made)
	fmt.Fprintln(os.Stderr, "request", made.SignRequestId)
	for {
		var request struct{ Status, Result string }
		call("GET", "/v1/request/"+made.SignRequestId, nil, &request)
		switch request.Status {
		case "EXECUTED":
			fmt.Println(request.Result)
			return
		case "PENDING", "APPROVED":
			time.Sleep(time.Second)
		default:
			fail("%s: %s", request.Status, request.Result)
		}
	}
}
