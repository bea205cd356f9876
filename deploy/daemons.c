// main() of the one file behind the five daemons' names (deploy/link-daemons): the name that it was started under decides.
// SwiftPM has called each program's own entry NAME_main.
#include <stdio.h>
#include <string.h>

int busd_main(int, char **);
int vrrpd_main(int, char **);
int ipvsd_main(int, char **);
int checkd_main(int, char **);
int scriptd_main(int, char **);

int main(int count, char **arguments) {
    static const struct {
        const char *name;
        int (*main)(int, char **);
    } daemons[] = {{"busd", busd_main}, {"vrrpd", vrrpd_main}, {"ipvsd", ipvsd_main}, {"checkd", checkd_main}, {"scriptd", scriptd_main}};
    const char *path = count > 0 ? arguments[0] : "";
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < sizeof daemons / sizeof *daemons; i++)
        if (strcmp(name, daemons[i].name) == 0) return daemons[i].main(count, arguments);
    fprintf(stderr, "%s: start this under one of its names: busd, vrrpd, ipvsd, checkd, scriptd\n", name);
    return 2;
}
