// Creates a key, asks for a signature and polls, with the client of oapi-codegen.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"example.com/use/tsb"
)

func client(token string) *tsb.ClientWithResponses {
	c, err := tsb.NewClientWithResponses(os.Getenv("TSB_URL"),
		tsb.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("X-API-KEY", os.Getenv(token))
			return nil
		}))
	if err != nil {
		log.Fatal(err)
	}
	return c
}

func pointer[T any](v T) *T { return &v }

func main() {
	ctx := context.Background()
	rule := &tsb.Rule{Tokens: &[]tsb.PolicyToken{{Groups: &[]tsb.PolicyGroup{{Quorum: 1, Approvals: []tsb.Approver{
		{Type: "public_key", Name: pointer("anna"), Value: pointer(os.Getenv("APPROVER"))}}}}}}}
	key, err := client("TSB_KEY_MANAGEMENT_TOKEN").CreateKeyWithResponse(ctx, tsb.CreateKey{
		Label: os.Getenv("KEY"), Algorithm: pointer("EC"), CurveOid: pointer("1.2.840.10045.3.1.7"),
		Attributes: tsb.KeyFlags{Sign: true},
		Policy:     &tsb.Policy{RuleUse: rule, RuleModify: rule}})
	if err != nil || key.JSON201 == nil {
		log.Fatal(err, string(key.Body))
	}
	if (*(*key.JSON201.Json.Policy.RuleUse.Tokens)[0].Groups)[0].Quorum != 1 {
		log.Fatal(string(key.Body))
	}

	application := client("TSB_KEY_OPERATION_TOKEN")
	var body tsb.SignEnvelope
	body.SignRequest.Payload = os.Getenv("PAYLOAD")
	body.SignRequest.SignKeyName = os.Getenv("KEY")
	body.SignRequest.SignatureAlgorithm = "SHA256_WITH_ECDSA"
	made, err := application.RequestSignatureWithResponse(ctx, body)
	if err != nil || made.JSON201 == nil {
		log.Fatal(err, string(made.Body))
	}
	fmt.Println("request", made.JSON201.SignRequestId)
	for {
		answer, err := application.GetRequestWithResponse(ctx, made.JSON201.SignRequestId, nil)
		if err != nil || answer.JSON200 == nil {
			log.Fatal(err, string(answer.Body))
		}
		if s := answer.JSON200.Status; s != "PENDING" && s != "APPROVED" {
			fmt.Println(s, *answer.JSON200.Result)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}
