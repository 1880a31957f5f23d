package db_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestQuotas(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	first := dbtest.New(t)
	second, err := db.Open(first.Postgres().Pool.Config().ConnString()) // another instance
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	one := domain.Quota{Key: strings.Repeat("x", 1<<20), Max: 10, Window: time.Hour}
	all := domain.Quota{Key: "all", Max: 25, Window: time.Hour}

	var taken atomic.Int64
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			wait, err := []*db.DB{first, second}[i%2].Quotas().Take(ctx, now, one, all)
			if err != nil || wait > time.Hour {
				t.Error(wait, err)
			}
			if wait == 0 {
				taken.Add(1)
			}
		})
	}
	wg.Wait()
	if taken.Load() != 10 {
		t.Errorf("%d taken of 10 by two instances at once", taken.Load())
	}
	other := domain.Quota{Key: "other", Max: 100, Window: time.Hour}
	left := 0
	for ; left < 100; left++ {
		if wait, err := second.Quotas().Take(ctx, now, other, all); err != nil {
			t.Fatal(err)
		} else if wait > 0 {
			break
		}
	}
	if left != 15 {
		t.Errorf("%d were left for others: who had used up his own took more than 10 of them", left)
	}
	if wait, _ := first.Quotas().Take(ctx, now.Add(50*time.Minute), one); wait < 9*time.Minute || wait > 11*time.Minute {
		t.Errorf("wait %v", wait)
	}
	if err := first.Quotas().Forget(ctx, one); err != nil {
		t.Fatal(err)
	}
	if wait, err := first.Quotas().Take(ctx, now, one); wait != 0 || err != nil {
		t.Error("forgotten and full:", wait, err)
	}
	var kept, bytes int64
	if wait, err := first.Quotas().Take(ctx, now.Add(2*time.Hour), one); wait != 0 || err != nil {
		t.Error("a window has ended and is full:", wait, err)
	}
	if err := first.Postgres().Pool.QueryRow(ctx, `SELECT count(*), sum(length(key)) FROM quotas`).Scan(&kept, &bytes); err != nil || kept != 1 || bytes != 32 {
		t.Errorf("%d rows with %d bytes of keys are left (%v)", kept, bytes, err)
	}
}

// What strangers typed goes when its links have run out, without anybody coming by.
func TestPruneRegistrations(t *testing.T) {
	ctx, d, now := t.Context(), dbtest.New(t), time.Now()
	for _, email := range []string{"old@people.example", "again@people.example", "new@people.example"} {
		r := domain.Registration{Email: email, Name: "A", Language: "en", Timezone: "UTC"}
		if err := d.Registrations().Create(ctx, r, now); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Postgres().Pool.Exec(ctx, `UPDATE registrations SET created_at = created_at - interval '49 hours' WHERE email <> 'new@people.example'`); err != nil {
		t.Fatal(err)
	}
	if err := d.Tokens().Create(ctx, []byte("newer"), 2, domain.TokenVerify, now); err != nil {
		t.Fatal(err)
	}
	if err := d.Registrations().Prune(ctx, now.Add(61*time.Minute)); err != nil {
		t.Fatal(err)
	}
	var kept, quotas int
	err := d.Postgres().Pool.QueryRow(ctx, `SELECT count(*), (SELECT count(*) FROM quotas) FROM registrations WHERE email <> 'old@people.example'`).Scan(&kept, &quotas)
	if err != nil || kept != 2 || quotas != 0 {
		t.Errorf("%d registrations, %d counters, %v", kept, quotas, err)
	}
	var all int
	if err := d.Postgres().Pool.QueryRow(ctx, `SELECT count(*) FROM registrations`).Scan(&all); err != nil || all != 2 {
		t.Errorf("%d registrations are left, %v", all, err)
	}
}
