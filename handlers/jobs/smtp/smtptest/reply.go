package smtptest

import (
	"strconv"
	"strings"

	"skychimp/domain"
)

// reply answers as the script says, else normally. 0: the connection is over.
func (s *session) reply(stage domain.Stage, normal string) int {
	answer, last, ok := s.decide(stage, normal)
	if !ok {
		return 0
	}
	s.put(answer)
	if last {
		s.flush()
		return 0
	}
	return codeOf(answer)
}

// decide asks the script. last: the connection ends after the answer; not ok: it ends now.
func (s *session) decide(stage domain.Stage, normal string) (answer string, last, ok bool) {
	answer = normal
	if s.script.On != nil {
		event := s.event(stage)
		action := s.script.On(event)
		if action != (Action{}) && !s.act(event, action) {
			return "", true, false
		}
		if action.Answer != "" {
			answer = action.Answer
		}
		last = action.DropAfter
	}
	return answer, last || codeOf(answer) == 421, true
}

func (s *session) event(stage domain.Stage) Event {
	return Event{Conn: s.id, Nth: s.nth, Email: s.email, Stage: stage, From: s.from, To: s.to}
}

// body asks the script in the middle of an email. False: the connection is over.
func (s *session) body() bool {
	if s.script.On == nil {
		return true
	}
	action := s.script.On(s.event(StageBody))
	return action == (Action{}) || s.act(s.event(StageBody), action)
}

func codeOf(answer string) int {
	code, err := strconv.Atoi(answer[:min(3, len(answer))])
	if err != nil {
		return 0
	}
	return code
}

// put queues an answer; all lines but the last get a hyphen after the code.
func (s *session) put(answer string) {
	code := answer[:min(4, len(answer))]
	for {
		line, rest, more := strings.Cut(answer, "\n")
		if !more {
			s.out = append(append(s.out, line...), '\r', '\n')
			return
		}
		s.out = append(append(append(s.out, line[:3]...), '-'), line[4:]...)
		s.out = append(s.out, '\r', '\n')
		answer = code + rest
	}
}

// act does what comes before the answer. False: there is none.
func (s *session) act(event Event, action Action) bool {
	if !s.flush() {
		return false
	}
	if action.Delay > 0 && !s.wait(action.Delay) {
		return false
	}
	if action.Hang {
		s.hung <- event
		select {
		case <-s.release:
		case <-s.done:
			return false
		}
	}
	return !action.Drop
}
