// Command cyclonus answers which traffic a set of NetworkPolicies allows, by Cyclonus' model of them.
//
// It reads {"policies": [NetworkPolicy...], "traffic": [Traffic...]} from standard input, and prints a list
// of booleans, one for each traffic.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	networkingv1 "k8s.io/api/networking/v1"
)

func main() {
	var question struct {
		Policies []*networkingv1.NetworkPolicy
		Traffic  []*matcher.Traffic
	}
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&question); err != nil {
		log.Fatal(err)
	}
	policies := matcher.BuildNetworkPolicies(true, question.Policies)
	allowed := make([]bool, len(question.Traffic))
	for i, traffic := range question.Traffic {
		allowed[i] = policies.IsTrafficAllowed(traffic).IsAllowed()
	}
	if err := json.NewEncoder(os.Stdout).Encode(allowed); err != nil {
		log.Fatal(err)
	}
}
