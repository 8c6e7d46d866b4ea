package main

import (
	"context"
	"os"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func fetchJWT(ctx context.Context, _ []string) error {
	_, err := workloadapi.FetchJWTSVID(ctx, jwtsvid.Params{Audience: "anybody"})
	return err
}

func fetchWIT(ctx context.Context, _ []string) error {
	client, err := workloadapi.New(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.FetchWITSVID(ctx, "")
	return err
}

// callWithoutHeader calls as a client does that knows nothing of `workload.spiffe.io`.
func callWithoutHeader(ctx context.Context, _ []string) error {
	connection, err := grpc.NewClient(os.Getenv("SPIFFE_ENDPOINT_SOCKET"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	stream, err := workload.NewSpiffeWorkloadAPIClient(connection).FetchX509SVID(ctx, &workload.X509SVIDRequest{})
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}
