package db_test

import (
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestBrands(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	if b, err := d.Brands().Get(t.Context(), ann); err != nil || !b.Plain() || b.Revision != 0 {
		t.Error(b, err)
	}
	for n, name := range []string{"Tulip House", "Rose House"} {
		saved, err := d.Brands().Update(t.Context(), ann, func(b *domain.Brand) error {
			return b.Change(domain.BrandForm{Name: name, Color: "#c81e5a", Links: "t.me/a\nvk.com/a"}, time.Now())
		})
		if err != nil || saved.Revision != n+1 {
			t.Error(saved, err)
		}
	}
	if b, err := d.Brands().Get(t.Context(), ann); err != nil || b.Name != "Rose House" || b.Main() != "#c81e5a" || len(b.Links) != 2 || b.OwnerID != ann {
		t.Error(b, err)
	}
	if _, err := d.Brands().Update(t.Context(), ann, func(b *domain.Brand) error { return b.Change(domain.BrandForm{Color: "red"}, time.Now()) }); err == nil {
		t.Error("red is a colour")
	}
	if b, err := d.Brands().Get(t.Context(), bob); err != nil || b.Name != "" {
		t.Error(b, err)
	}
}
