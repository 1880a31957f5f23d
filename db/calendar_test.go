package db_test

import (
	"slices"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestOverlaps(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	var ids []int64
	for email, tags := range map[string]string{"a@x.org": "news", "b@x.org": "news, VIP", "c@x.org": ""} {
		ids = append(ids, dbtest.NewClient(t, d, ann, domain.ClientForm{Email: email, Tags: tags}).ID)
	}
	dbtest.NewClient(t, d, bob, domain.ClientForm{Email: "a@x.org", Tags: "news"})
	all := dbtest.NewLaunched(t, d, ann, nil)
	news := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Audience, f.Tags = "tags", "News" })
	vip := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Audience, f.Tags = "tags", "vip" })
	three := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Audience, f.ClientIDs = "picked", ids })
	two := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Audience, f.ClientIDs = "picked", ids[:2] })
	o, err := d.Mailings().Audiences().Overlaps(t.Context(), ann, []domain.Mailing{all, news, vip, three, two})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		a, b domain.Mailing
		want int64
	}{
		{"all and news", all, news, 2}, {"news and vip", news, vip, 1}, {"all and picked", all, two, 2},
		{"vip and picked", vip, three, 1}, {"picked twice", two, three, 2},
	} {
		if got := o.Of(tt.a, tt.b); got != tt.want {
			t.Errorf("%s share %d, want %d", tt.name, got, tt.want)
		}
	}
}

// What the calendar counts for all mailings at once is what each of them counts.
func TestRecipients(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	ids := dbtest.NewClients(t, d, ann, 6)
	dbtest.Exec(t, d, `UPDATE clients SET tags = '{News}' WHERE id = ANY($1)`, ids[:4])
	segment, err := d.Segments().Create(t.Context(), ann, domain.SegmentForm{Name: "News", Match: "all", Conditions: []domain.Condition{{Where: "tag", Op: "is", Value: "news"}}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for i, change := range []func(*domain.MailingForm){nil, func(f *domain.MailingForm) { f.Audience, f.Tags = "tags", "news" },
		func(f *domain.MailingForm) { f.Audience, f.ClientIDs = "picked", ids[2:] }, func(f *domain.MailingForm) { f.Audience, f.ClientIDs = "picked", ids[:1] },
		func(f *domain.MailingForm) { f.Audience, f.SegmentID = "segment", segment.ID }, func(f *domain.MailingForm) { f.Audience, f.SegmentID = "segment", segment.ID }} {
		if dbtest.NewLaunched(t, d, ann, change); i == 3 {
			dbtest.Suppress(t, d, ids[1], ids[5])
		}
	}
	for range 2 {
		mailings, err := d.Mailings().Next(t.Context(), ann, 10)
		if err != nil || len(mailings) != 6 {
			t.Fatalf("%d mailings, %v", len(mailings), err)
		}
		got, _, err := d.Mailings().Audiences().Recipients(t.Context(), ann, mailings)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mailings {
			m = dbtest.Must[domain.Mailing](t)(d.Mailings().Get(t.Context(), ann, m.ID))
			if want, _, err := d.Mailings().RecipientCount(t.Context(), m); err != nil || got[m.ID] != int64(want) || want == 0 {
				t.Errorf("%s %s: %d, its own page says %d, %v", m.Audience, m.Name, got[m.ID], want, err)
			}
		}
		dbtest.Exec(t, d, `UPDATE clients SET paused_until = now() + interval '1 day' WHERE id = $1`, ids[3])
	}
}

func TestNextMailings(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	first := dbtest.NewLaunched(t, d, ann, nil)
	dbtest.NewMailing(t, d, ann, nil)
	dbtest.NewLaunched(t, d, bob, nil)
	dbtest.UpdateMailing(t, d, dbtest.NewLaunched(t, d, ann, nil).ID, dbtest.Disable)
	dbtest.UpdateMailing(t, d, dbtest.NewLaunched(t, d, ann, nil).ID, dbtest.Stop)
	list, err := d.Mailings().Next(t.Context(), ann, 10)
	if err != nil || len(list) != 1 || list[0].ID != first.ID {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestClientsAdded(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, dbtest.NewOwner(t, d, "bob"), 1)
	for i, at := range []string{"2031-05-01T22:30:00Z", "2031-05-02T10:00:00Z", "2031-05-02T22:00:00Z", "2031-04-01T10:00:00Z", "2031-06-01T10:00:00Z"} {
		dbtest.Exec(t, d, `INSERT INTO clients (owner_id, email, created_at) VALUES ($1, $2::int::text || '@x.org', $3::text::timestamptz)`, ann, i, at)
	}
	day := time.Date(2031, 4, 30, 22, 0, 0, 0, time.UTC)
	added, err := d.Clients().Added(t.Context(), ann, []time.Time{day, day.AddDate(0, 0, 1), day.AddDate(0, 0, 2), day.AddDate(0, 0, 3)})
	if err != nil || !slices.Equal(added, []int64{0, 2, 1}) {
		t.Errorf("%v, %v", added, err)
	}
}
