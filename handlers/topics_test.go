package handlers

import (
	"fmt"
	"testing"

	"skychimp/db"
	"skychimp/domain"
)

func TestTopics(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	b.get("/clients").is(t, 200, `href="/topics"`)
	b.get("/topics").is(t, 200, "<html", "No topics yet.", `name="name"`, `name="details"`)
	b.post("/topics", "name", "Новости", "details", "Раз в месяц").leads(t, "/topics")
	b.get("/topics").is(t, 200, "Новости", "Раз в месяц", `id="topic-`)
	for _, b := range []*browser{b, b.htmx()} {
		b.post("/topics", "name", "", "details", "<b>").is(t, 422, "Enter a name.", `value="&lt;b&gt;"`, `aria-invalid="true"`)
		b.post("/topics", "name", "НОВОСТИ").is(t, 422, "You already have a topic with this name.")
	}
	b.htmx().post("/topics", "name", "Offers").is(t, 200, `<tr id="topic-`, "Offers")
	list, err := w.db.Topics().List(t.Context(), user.ID)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	path := fmt.Sprint("/topics/", list[0].ID)
	b.get(path+"/edit").is(t, 200, `value="Новости"`, `name="revision"`)
	b.post(path, "_method", "PUT", "name", "offers").is(t, 422, "You already have a topic with this name.")
	b.post(path, "_method", "PUT", "name", "News", "revision", "stale").is(t, 409, `value="News"`, "Новости")
	b.post(path, "_method", "PUT", "name", "News").leads(t, "/topics")

	// A mailing has one, by its number or by its name.
	message := w.message(t, user.ID, "Hello", "x")
	form := func(topic string) []string {
		return []string{"name", "Weekly", "message_id", fmt.Sprint(message.ID), "audience", "all", "start_at", "2031-01-01T10:00",
			"timezone", "UTC", "periodicity", "once", "topic", topic}
	}
	b.get("/mailings/new").is(t, 200, `name="topic"`, ">News</option>")
	b.post("/mailings", form("nonsense")...).is(t, 422, "Choose one of your topics.", `aria-invalid="true"`)
	b.post("/mailings", form("news")...).is(t, 303)
	b.post("/mailings", form(fmt.Sprint(list[1].ID))...).is(t, 303)
	mailings, _, err := w.db.Mailings().List(t.Context(), db.MailingFilter{OwnerID: user.ID})
	if err != nil || len(mailings) != 2 || mailings[0].TopicID != list[1].ID || mailings[1].TopicID != list[0].ID {
		t.Fatalf("%+v, %v", mailings, err)
	}
	mailing := fmt.Sprint("/mailings/", mailings[1].ID)
	b.get(mailing).is(t, 200, "<dt>Topic</dt><dd>News</dd>")
	b.get(mailing+"/edit").is(t, 200, fmt.Sprintf(`value="%d" selected>News`, list[0].ID))
	b.get(path+"/delete").is(t, 200, "Delete “News”")
	b.post(path, "_method", "DELETE").is(t, 409, "“Weekly” has this topic")
	b.post(mailing, "_method", "DELETE").is(t, 303)
	b.post(path, "_method", "DELETE").leads(t, "/topics")

	_, other := w.owner(t, "bob")
	path = fmt.Sprint("/topics/", list[1].ID)
	other.get(path+"/edit").is(t, 404)
	other.post(path, "_method", "PUT", "name", "x").is(t, 404)
	other.post(path, "_method", "DELETE").is(t, 404)
	for i := range domain.MaxTopics - 1 {
		b.post("/topics", "name", fmt.Sprint("t", i)).leads(t, "/topics")
	}
	b.get("/topics").is(t, 200, "up to 20 topics")
	b.post("/topics", "name", "another").is(t, 422, "up to 20 topics")
}
