package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

// described is an SVID with what go-spiffe's own verification made of it.
type described struct {
	ID         string `json:"id"`
	VerifiedID string `json:"verifiedId"`
	Hint       string `json:"hint"`
	Serial     string `json:"serial"`
	// Seconds.
	Lifetime int `json:"lifetime"`
	Chain    int `json:"chain"`
}

func describe(svid *x509svid.SVID, bundles x509bundle.Source) (described, error) {
	verified, _, err := x509svid.Verify(svid.Certificates, bundles)
	if err != nil {
		return described{}, err
	}
	leaf := svid.Certificates[0]
	return described{
		ID:         svid.ID.String(),
		VerifiedID: verified.String(),
		Hint:       svid.Hint,
		Serial:     leaf.SerialNumber.String(),
		Lifetime:   int(leaf.NotAfter.Sub(leaf.NotBefore) / time.Second),
		Chain:      len(svid.Certificates),
	}, nil
}

// fetchSVID fetches the default SVID, then all of them with their bundles, and verifies each.
func fetchSVID(ctx context.Context, _ []string) error {
	first, err := workloadapi.FetchX509SVID(ctx)
	if err != nil {
		return err
	}
	all, err := workloadapi.FetchX509Context(ctx)
	if err != nil {
		return err
	}
	if all.DefaultSVID().ID != first.ID {
		return fmt.Errorf("two fetches answered %s and %s", first.ID, all.DefaultSVID().ID)
	}
	svids := []described{}
	for _, svid := range all.SVIDs {
		one, err := describe(svid, all.Bundles)
		if err != nil {
			return err
		}
		svids = append(svids, one)
	}
	say(map[string]any{"svids": svids})
	return nil
}

// fetchBundles says how many authorities each trust domain has.
func fetchBundles(ctx context.Context, _ []string) error {
	set, err := workloadapi.FetchX509Bundles(ctx)
	if err != nil {
		return err
	}
	authorities := map[string]int{}
	for _, bundle := range set.Bundles() {
		authorities[bundle.TrustDomain().String()] = len(bundle.X509Authorities())
	}
	say(map[string]any{"authorities": authorities})
	return nil
}

// followSource says the SVID that an X509Source has, and each that replaces it, as many times as the argument tells.
func followSource(ctx context.Context, args []string) error {
	times, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	source, err := workloadapi.NewX509Source(ctx)
	if err != nil {
		return err
	}
	defer source.Close()
	for said := 1; ; said++ {
		svid, err := source.GetX509SVID()
		if err != nil {
			return err
		}
		one, err := describe(svid, source)
		if err != nil {
			return err
		}
		say(one)
		if said == times {
			return nil
		}
		if err := source.WaitUntilUpdated(ctx); err != nil {
			return err
		}
	}
}
