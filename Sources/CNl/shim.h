#pragma once
#include <netlink/netlink.h>
#include <netlink/msg.h>
#include <netlink/attr.h>
#include <netlink/handlers.h>
#include <netlink/cache.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
