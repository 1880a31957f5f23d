package handlers

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

// wire sends bytes as they are, and answers what came back, and whether the connection goes on after it.
func (w *env) wire(t *testing.T, text string) (status int, goesOn bool) {
	t.Helper()
	at, _ := url.Parse(w.url)
	conn, err := net.Dial("tcp", at.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	go func() { _, _ = io.WriteString(conn, text) }()
	from := bufio.NewReader(conn)
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Errorf("%.100q: %v", text, err)
		return 0, false
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, err = from.ReadByte()
	return response.StatusCode, err != io.EOF
}

// file is a multipart form with a file of so many bytes.
func file(t *testing.T, size int) (body []byte, kind string) {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", "list.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(bytes.Repeat([]byte("a"), size))
	_ = form.Close()
	return b.Bytes(), form.FormDataContentType()
}

// How much may come is decided by who sends it where, before it is read; who sends more reads why.
func TestBodiesAreBounded(t *testing.T) {
	w := newEnv(t)
	_, b := w.owner(t, "ann")
	writer := w.as(t, w.user(t, "cora", domain.RoleContent))
	const mb = 1 << 20
	for _, test := range []struct {
		b       *browser
		path    string
		size    int
		chunked bool
		status  int
	}{
		{w.visitor(t), "/login", 2 * mb, false, 413},
		{w.visitor(t), "/login", 2 * mb, true, 413},
		{w.visitor(t), "/clients/import", 2 * mb, false, 303}, // to sign in
		{w.visitor(t), "/clients/import", 2 * mb, true, 413},
		{w.visitor(t), "/clients/import?x=1", 63 * mb, false, 303},
		{w.visitor(t), "/clients/import", 65 * mb, false, 413},
		{b, "/messages", 2 * mb, false, 413},
		{b, "/clients/importer", 2 * mb, false, 413},
		{b, "/clients/import", 61 * mb, false, 422},
		{b, "/clients/import", 65 * mb, false, 413},
		{b, "/clients/import", 21 * mb, true, 413},
		{writer, "/admin/posts", 12 * mb, false, 422},
	} {
		body, kind := file(t, test.size)
		var from io.Reader = bytes.NewReader(body)
		if test.chunked {
			from = io.MultiReader(from)
		}
		request, err := http.NewRequestWithContext(t.Context(), "POST", w.url+test.path, from)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", kind)
		response, err := test.b.client.Do(request)
		if err != nil {
			t.Errorf("%s %d MB: %v", test.path, test.size/mb, err)
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		if _ = response.Body.Close(); response.StatusCode != test.status {
			t.Errorf("%s %d MB, chunked %v: status %d, want %d", test.path, test.size/mb, test.chunked, response.StatusCode, test.status)
		}
	}
}

// What twenty strangers send is not held: neither what they say to be files, nor what never comes to an end.
func TestBodiesOfStrangers(t *testing.T) {
	w := newEnv(t)
	body, kind := file(t, 60<<20)
	host := strings.TrimPrefix(w.url, "http://")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var wait sync.WaitGroup
	for i := range 20 {
		path := []string{"/clients/import", "/admin/posts", "/login", "/none"}[i%4]
		wait.Go(func() {
			conn, err := net.Dial("tcp", host)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Minute))
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path, host, kind, len(body))
			go func() { _, _ = conn.Write(body[:len(body)-1]) }()
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				return
			}
			defer response.Body.Close()
			if response.StatusCode != 413 && response.StatusCode != 303 {
				t.Errorf("%s: %v", path, response)
			}
		})
	}
	wait.Wait()
	runtime.ReadMemStats(&after)
	if held := (after.TotalAlloc - before.TotalAlloc) >> 20; held > 100 {
		t.Errorf("20 strangers' bodies took %d MB", held)
	}
}

// Who sends a byte now and then is waited for no longer than the whole may take.
func TestSlowBodies(t *testing.T) {
	w := served(t, dbtest.New(t), 500*time.Millisecond)
	host := strings.TrimPrefix(w.url, "http://")
	body, kind := file(t, 1000)
	var wait sync.WaitGroup
	for _, head := range []string{
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n",
		"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
		"Content-Type: " + kind + "\r\nContent-Length: 1000\r\n\r\n" + string(body[:200]),
		"X-Header: ",
	} {
		wait.Go(func() {
			conn, err := net.Dial("tcp", host)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: %s\r\n%s", host, head)
			begun, ended := time.Now(), make(chan struct{})
			go func() {
				_, _ = io.Copy(io.Discard, conn)
				close(ended)
			}()
			drop := time.NewTicker(50 * time.Millisecond)
			defer drop.Stop()
			for {
				select {
				case <-ended:
					return
				case <-drop.C:
					_, _ = conn.Write([]byte("a"))
				}
				if time.Since(begun) > time.Minute {
					t.Errorf("%q is still waited for", head)
					return
				}
			}
		})
	}
	wait.Wait()
}

// One network takes a part of the connections, and all others are served.
func TestCrowdOfOneNetwork(t *testing.T) {
	w := newEnv(t)
	host := strings.TrimPrefix(w.url, "http://")
	from := func(ip string) *net.Dialer { return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}} }
	refused := 0
	for i := range 1100 {
		conn, err := from(fmt.Sprintf("127.0.7.%d", 1+i%200)).Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i < 1000 {
			continue
		}
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			continue
		}
		defer response.Body.Close()
		if response.StatusCode == 429 && response.Header.Get("Retry-After") != "" {
			refused++
		}
	}
	if refused != 100 {
		t.Errorf("%d of 100 connections too many were refused", refused)
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: from("127.0.8.1").DialContext}}
	defer client.CloseIdleConnections()
	response, err := client.Get(w.url + "/login")
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("another network: %v %v", response, err)
	}
	_ = response.Body.Close()
}
