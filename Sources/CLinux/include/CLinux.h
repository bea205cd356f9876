// Everything in this module. One header names the others, so that a new one makes the compiler build the module anew.
#pragma once
#include "ek_bfd.h"
#include "ek_inotify.h"
#include "ek_io.h"
#include "ek_memory.h"
#include "ek_netns.h"
#include "ek_process.h"
#include "ek_processes.h"
#include "ek_program.h"
#include "ek_tcp.h"
#include "ek_thread.h"
#include "ek_unix.h"
#include "ek_vrrp.h"
