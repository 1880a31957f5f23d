package handlers

import (
	"context"
	"testing"

	"skychimp/db/dbtest"
	"skychimp/domain"
	"skychimp/domain/emailauth"
	"skychimp/handlers/resolver"
)

func TestCheckPage(t *testing.T) {
	w := envOn(t, dbtest.New(t), func(c *Config) {
		c.DNS = resolver.New("127.0.0.1:1")
		c.Check = func(context.Context) []emailauth.Line {
			return []emailauth.Line{emailauth.MailFrom("a@shop.example"), emailauth.BaseURL("http", "shop.example", "http://shop.example"), emailauth.Unsigned(false)}
		}
	})
	admin := domain.User{Email: "ada@people.example", Name: "Ada", Role: domain.RoleAdmin, Language: "ru", Timezone: "UTC"}
	if err := w.db.Users().Create(t.Context(), &admin); err != nil {
		t.Fatal(err)
	}
	w.as(t, admin).get("/admin/check").is(t, 200, "Проверка доставки", "Есть ошибки", ">OK</span>", "a@shop.example", ">WARN</span>", "http://shop.example", ">FAIL</span>", "DKIM_SELECTOR")
	_, b := w.owner(t, "ann")
	b.get("/admin/check").is(t, 403)
}
