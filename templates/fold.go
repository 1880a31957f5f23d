package templates

import (
	"html/template"
	"strings"
	"text/template/parse"

	"skychimp/static"
)

// constant is a function of templates that always answers the same, as HTML; ok is false where it doesn't.
type constant func(arg string) (text string, ok bool)

func constants(texts *Texts, lang string, files *static.Files) map[string]constant {
	return map[string]constant{
		"t": func(key string) (string, bool) {
			p := texts.phrases[lang][key]
			return template.HTMLEscapeString(strings.Join(p, "")), len(p) == 1
		},
		"asset": func(name string) (string, bool) {
			address, err := files.URL(name)
			return template.HTMLEscapeString(address), err == nil
		},
		"icon": func(name string) (string, bool) { return files.Icon(name), true },
	}
}

// fold writes what {{t "key"}} and the like always answer into the text around it: a row of a list has ten of them, and
// each was called by reflection. They stand in text and in quoted attributes alone, where HTML is escaped in one way.
func fold(list *parse.ListNode, known map[string]constant) {
	if list == nil {
		return
	}
	for i, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.ActionNode:
			if text, ok := folded(node.Pipe, known); ok {
				list.Nodes[i] = &parse.TextNode{NodeType: parse.NodeText, Pos: node.Pos, Text: []byte(text)}
			}
		case *parse.IfNode:
			fold(node.List, known)
			fold(node.ElseList, known)
		case *parse.RangeNode:
			fold(node.List, known)
			fold(node.ElseList, known)
		case *parse.WithNode:
			fold(node.List, known)
			fold(node.ElseList, known)
		}
	}
}

func folded(pipe *parse.PipeNode, known map[string]constant) (text string, ok bool) {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 2 {
		return "", false
	}
	name, named := pipe.Cmds[0].Args[0].(*parse.IdentifierNode)
	arg, fixed := pipe.Cmds[0].Args[1].(*parse.StringNode)
	if !named || !fixed || known[name.Ident] == nil {
		return "", false
	}
	return known[name.Ident](arg.Text)
}
