import Glibc

/// Lets other threads of the process go first; threads started from here on inherit it.
///
/// On Linux a nice value belongs to a thread when the number given is a thread's own (0 means the caller).
func lowerPriority() { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 15) }
