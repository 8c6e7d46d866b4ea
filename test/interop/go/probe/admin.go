package main

import (
	"context"
	"path/filepath"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

// administer talks to the server at an address, which must have the given SPIFFE ID, with the files that `spire-server x509 mint -write` has
// left in a folder: it counts the entries, then creates one and deletes it.
func administer(ctx context.Context, args []string) error {
	server, err := spiffeid.FromString(args[1])
	if err != nil {
		return err
	}
	file := func(name string) string { return filepath.Join(args[2], name) }
	svid, err := x509svid.Load(file("svid.pem"), file("key.pem"))
	if err != nil {
		return err
	}
	bundle, err := x509bundle.Load(server.TrustDomain(), file("bundle.pem"))
	if err != nil {
		return err
	}
	tls := tlsconfig.MTLSClientConfig(svid, bundle, tlsconfig.AuthorizeID(server))
	connection, err := grpc.NewClient(args[0], grpc.WithTransportCredentials(credentials.NewTLS(tls)))
	if err != nil {
		return err
	}
	defer connection.Close()
	client := entryv1.NewEntryClient(connection)

	counted, err := client.CountEntries(ctx, &entryv1.CountEntriesRequest{})
	if err != nil {
		return err
	}
	say(map[string]int32{"entries": counted.Count})

	created, err := client.BatchCreateEntry(ctx, &entryv1.BatchCreateEntryRequest{Entries: []*types.Entry{{
		SpiffeId:  &types.SPIFFEID{TrustDomain: server.TrustDomain().Name(), Path: "/made-by-go"},
		ParentId:  &types.SPIFFEID{TrustDomain: server.TrustDomain().Name(), Path: "/symbolon/node/east-1"},
		Selectors: []*types.Selector{{Type: "unix", Value: "uid:1999"}},
	}}})
	if err != nil {
		return err
	}
	made := created.Results[0]
	if made.Status.Code != 0 {
		return status.Error(codes.Code(made.Status.Code), made.Status.Message)
	}
	say(map[string]string{"created": made.Entry.Id})
	_, err = client.BatchDeleteEntry(ctx, &entryv1.BatchDeleteEntryRequest{Ids: []string{made.Entry.Id}})
	return err
}
