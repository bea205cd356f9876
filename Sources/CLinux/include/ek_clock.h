// The kernel's opinion of the wall clock.
#pragma once

// 1 = something keeps it right (NTP), 0 = nothing has for long, -errno.
int ek_clock_is_synchronised(void);
