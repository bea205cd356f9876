# Makes the units of one director (evenkeel.target, evenkeel-busd.service …) into those of several on one host, each in a network namespace:
# evenkeel@NAME.target, evenkeel-busd@NAME.service …  (deploy/install). The differences are these and no others:
#
#   network namespace  /run/netns/NAME     ip netns add NAME; `net_namespace NAME` in the file is then true, and may be left out
#   configuration      /etc/evenkeel/NAME.conf, NAME.daemons.env, NAME.serve.env
#   sockets            /run/evenkeel@NAME  made by evenkeel-instance@NAME.service; lbctl --instance NAME
#   state              /var/lib/evenkeel@NAME
s/\bevenkeel\.target\b/evenkeel@%i.target/g
s/\b(evenkeel-(busd|vrrpd|ipvsd|checkd|scriptd|serve))\.service\b/\1@%i.service/g
s/^Description=.*/& (%i)/
# Another program may do the same job in another network.
/^Conflicts=/d
s|^(ExecStart=/usr/lib/evenkeel/[a-z]+)|\1 --config /etc/evenkeel/%i.conf --run-dir /run/evenkeel@%i|
s|^ExecStart=/usr/bin/lbctl serve|& --instance %i|
s!/etc/evenkeel/(serve|daemons)\.env!/etc/evenkeel/%i.\1.env!
s|/var/lib/evenkeel/|/var/lib/evenkeel@%i/|
s|^StateDirectory=evenkeel/|StateDirectory=evenkeel@%i/|
s|^ReadWritePaths=/run/evenkeel\b|&@%i|
# 225 is systemd's own word for a namespace that is not there: nothing to try again ten times a second.
s/^RestartPreventExitStatus=2$/& 225/
# busd needs no network.
s!^ExecStart=/usr/lib/evenkeel/(vrrpd|ipvsd|checkd|scriptd) .*!&\nNetworkNamespacePath=/run/netns/%i!
s|^PartOf=.*|&\nRequires=evenkeel-instance@%i.service\nAfter=evenkeel-instance@%i.service|
