// Creates a key, asks for a signature and polls, with the Go client of openapi-generator.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	tsb "example.com/use/tsb"
)

func client(token string) *tsb.APIClient {
	c := tsb.NewConfiguration()
	c.Servers = tsb.ServerConfigurations{{URL: os.Getenv("TSB_URL")}}
	c.AddDefaultHeader("X-API-KEY", os.Getenv(token))
	return tsb.NewAPIClient(c)
}

func main() {
	ctx := context.Background()
	approver := tsb.NewApprover("public_key")
	approver.SetName("anna")
	approver.SetValue(os.Getenv("APPROVER"))
	token := tsb.NewPolicyToken(0, 0)
	token.SetGroups([]tsb.PolicyGroup{*tsb.NewPolicyGroup(1, []tsb.Approver{*approver})})
	rule := tsb.NewRule()
	rule.SetTokens([]tsb.PolicyToken{*token})
	policy := tsb.NewPolicy()
	policy.SetRuleUse(*rule)
	policy.SetRuleModify(*rule)
	key := tsb.NewCreateKey(os.Getenv("KEY"), *tsb.NewKeyFlags(false, true, false))
	key.SetAlgorithm("EC")
	key.SetCurveOid("1.2.840.10045.3.1.7")
	key.SetPolicy(*policy)
	attributes, _, err := client("TSB_KEY_MANAGEMENT_TOKEN").KeysAPI.CreateKey(ctx).CreateKey(*key).Execute()
	if err != nil {
		log.Fatal(err)
	}
	made := attributes.Json.GetPolicy()
	use := made.GetRuleUse()
	if use.GetTokens()[0].GetGroups()[0].Quorum != 1 {
		log.Fatal(attributes)
	}

	application := client("TSB_KEY_OPERATION_TOKEN").RequestsAPI
	body := tsb.NewSignEnvelope(*tsb.NewSignEnvelopeSignRequest(os.Getenv("PAYLOAD"), os.Getenv("KEY"),
		"SHA256_WITH_ECDSA"))
	id, _, err := application.RequestSignature(ctx).SignEnvelope(*body).Execute()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("request", id.SignRequestId)
	for {
		request, _, err := application.GetRequest(ctx, id.SignRequestId).Execute()
		if err != nil {
			log.Fatal(err)
		}
		if request.Status != "PENDING" && request.Status != "APPROVED" {
			fmt.Println(request.Status, request.GetResult())
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}
