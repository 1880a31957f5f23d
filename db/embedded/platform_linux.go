package embedded

import "syscall"

func signalOnDeath(attr *syscall.SysProcAttr, death syscall.Signal) { attr.Pdeathsig = death }
