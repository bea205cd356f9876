#include "ek_placeholder.h"
