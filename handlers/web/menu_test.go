package web

import (
	"slices"
	"testing"
)

// A long menu has what belongs together in folds behind the rest, and a short one has none.
func TestLongMenusFold(t *testing.T) {
	var list []NavItem
	for _, path := range []string{"/a", "/b", "/c", "/d"} {
		list = append(list, NavItem{Path: path, Key: path}, NavItem{Path: path + "-more", Key: path, Group: "more"})
	}
	if items := menu(list, "/a"); len(items) != 8 || items[1].Items != nil || !items[0].Current {
		t.Errorf("a short one: %+v", items)
	}
	list = append(list, NavItem{Path: "/e", Key: "e", Group: "admin"}, NavItem{Path: "/f", Key: "f", Group: "admin"})
	items := menu(list, "/b-more/7")
	if len(items) != 6 || len(items[4].Items) != 4 || !items[4].Current || !items[4].Items[1].Current || items[5].Key != "admin" || items[5].Current ||
		slices.ContainsFunc(items[:4], func(one navItem) bool { return one.Current }) {
		t.Errorf("a long one: %+v", items)
	}
}
