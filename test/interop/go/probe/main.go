// Command probe is a workload written with go-spiffe, knowing nothing of symbolon: it finds the Workload API by SPIFFE_ENDPOINT_SOCKET, does one
// thing, and says what came of it on stdout, a JSON object a line. What fails is said as {"code": <gRPC code>, "message": …}, with exit code 1.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc/status"
)

type action func(ctx context.Context, args []string) error

// longest is how long an action may take: a rotation takes half the lifetime of a short-lived SVID.
const longest = 60 * time.Second

var actions = map[string]action{
	"svid":      fetchSVID,
	"bundles":   fetchBundles,
	"source":    followSource,
	"watch":     watch,
	"jwt":       fetchJWT,
	"wit":       fetchWIT,
	"no-header": callWithoutHeader,
	"serve":     serve,
	"dial":      dial,
	"admin":     administer,
}

func say(what any) {
	line, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func main() {
	if len(os.Args) < 2 || actions[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: probe ACTION [ARGUMENT…]; see main.go for the actions")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	if err := actions[os.Args[1]](ctx, os.Args[2:]); err != nil {
		say(map[string]string{"code": status.Code(err).String(), "message": err.Error()})
		os.Exit(1)
	}
}
