// A detached thread of ordinary priority, whatever its creator's, that takes no signals. -errno on failure.
#pragma once

int ek_thread(void (*body)(void *), void *argument);
int ek_eventfd(void);
