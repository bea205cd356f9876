// Command lines of ipvsadm with something particular to them: how popt reads options, how values are read, which combinations are refused
// and what is said, what the kernel refuses. In an order, since they act on one table.

enum OddCommandLines {
    /// As single processes.
    static let all: [[String]] =
        words(
            """
            -C
            -A -t 1.2.3.4:80
            -a -t 1.2.3.4:80 -r 5.6.7.8 -w 65536
            -a -t 1.2.3.4:80 -r 5.6.7.8 -w 2147483647
            -a -t 1.2.3.4:80 -r 5.6.7.8 -w 2147483648
            -a -t 1.2.3.4:80 -r 5.6.7.9 -x 10 -y 20
            -nL
            --li
            --list=3
            --list -t1.2.3.4:80
            -L --tcp-service=1.2.3.4:80
            -L -t=1.2.3.4:80
            -L -t==1.2.3.4:80
            -L -t
            -L -q
            -L --quux
            -q
            -L foo
            foo -L
            foo
            -A -t 1.2.3.4:81 -p
            -A -t 1.2.3.4:85 -ps rr
            -Apt 1.2.3.4:86
            -A -t 1.2.3.4:88 -p -- -s
            -L -- -n
            -L - n
            --set 1 2
            --set 1 2 3 4
            --set -1 2 3
            --set -- -1 2 3
            --set 7 0 9
            -L --timeout
            -L --numeric=3
            -L -n=
            -L -n=c
            -L -ncx
            -L -A
            -LA
            -L --start-daemon master
            -L -h
            -L -t=
            -A -t 1.2.3.4:80 --persistent=
            -A -t 1.2.3.4:80 -w 3
            -A -s rr
            -A -n -c
            -L -c --timeout
            -L -c --stats
            -L --timeout --persistent-conn
            -L -c -t 1.2.3.4:80
            -L --syncid 4
            -L -nn
            -A -t [1.2.3.4]:80
            -A -t [1.2.3.4]:80 -p
            -A -t [2001:db8::1
            -A -t [2001:db8::1]
            -A -t [2001:db8::1]80
            -A -t 5:80
            -A -t 5
            -A -t 5.:80
            -A -t 1.2.3:82
            -A -t 0x10:80
            -A -t 08.1.1.1:80
            -A -t 0377.1.1.1:80
            -A -t 1.2.3.256:80
            -A -t 256.1:80
            -A -t 1.16777216:80
            -A -t 16909061:80
            -A -t 4294967296:80
            -A -t 1.2.3.4:
            -A -t 1.2.3.4:65536
            -A -t 1.2.3.4:-1
            -A -t 1.2.3.4:+83
            -A -t 1.2.3.4:foo
            -A -t 1.2.3.4:domain
            -A -u 1.2.3.4:domain
            -A --sctp-service 1.2.3.4:domain
            -A -t localhost:8080
            -A -t :80
            -a -r 10.0.0.3 -t 1.2.3.4:80 -m
            -a -r 10.0.0.3:http -t 1.2.3.4:80 -m
            -a -t 1.2.3.4:80 -r 224.0.0.1
            -e -t 1.2.3.4:80 -r 5.6.7.8 -i --tun-type gre --tun-remcsum
            -e -t 1.2.3.4:80 -r 5.6.7.8 -i --tun-type gre --tun-csum --tun-nocsum
            -e -t 1.2.3.4:80 -r 5.6.7.8 -i --tun-csum
            -e -t 1.2.3.4:80 -r 5.6.7.8 -m --tun-csum
            -e -t 1.2.3.4:80 -r 5.6.7.8 -i --tun-type gue
            -e -t 1.2.3.4:80 -r 5.6.7.8 -i --tun-type gue --tun-port 0
            -e -t 1.2.3.4:80 -r 5.6.7.8 -i -m
            -d -t 1.2.3.4:80
            -d -t 1.2.3.4:80 -r 5.6.7.8 -m
            -A -f 0
            -A -f -1
            -A -f 4294967295
            -A -f 4294967296
            -A -f 99999999999999999999
            -A -f 1x
            -A -6 -f 1
            -A -f 1 -6 -M 64
            -A -f 1 -6 -6
            -A -f 2 -M 255.255.255.0 -6 -p
            -A -f 3 -t 1.2.3.4:80
            -A -u 1.1.1.1:97 -b sh-port
            -A -u 1.1.1.1:97 -b flag-1,,flag-2
            -A -u 1.1.1.1:96 -b sh-port,bogus -s sh
            -A -u 1.1.1.1:96 -s rr -b sh-port foo
            -A -t 1.1.1.1:95 -o
            -A -u 1.1.1.1:94 -p 3 -M 24 --pe sip
            -A -u 1.1.1.1:93 --pe sip
            -A -t [2001:db8::1]:80 -p 3 -M 64abc
            -A -t [2001:db8::2]:80 -p 3 -M 129
            -A -M 64 -t [2001:db8::3]:80 -p 3
            -A -t 1.1.1.1:92 -s 12345678901234567890
            -A -t 1.1.1.1:92 --pe 12345678901234567890
            -a -t [2001:db8::1]:80 -r 1.1.1.1:80
            -a -t [2001:db8::1]:80 -r 1.1.1.1:80 -i
            -a -t 1.2.3.4:80 -r [2001:db8::5]:80 -i
            -Z -t 0.0.0.0
            -Z -t 1.1.1.1:1
            -Z -t [::]:0
            -L -t 1.1.1.1:1
            -L -f 77
            -L -n --tun-info
            -Ln
            -L
            --start-daemon foo
            --stop-daemon foo
            --start-daemon
            --stop-daemon backup
            --stop-daemon backup --mcast-interface lo
            --start-daemon backup --mcast-group 1.2.3.4
            --start-daemon backup --mcast-group ::1
            --start-daemon backup --mcast-interface lo --syncid 256
            --start-daemon backup --mcast-interface nonesuch0
            --start-daemon backup --mcast-interface lo --syncid 255 --mcast-port 9 --mcast-ttl 9 --sync-maxlen 900
            --start-daemon backup --mcast-interface lo
            -L --daemon
            --stop-daemon backup
            -L --daemon
            -C -n
            -C foo
            -R foo
            -v
            -h
            """) + [
            [], [""], ["-A", "-t", ""], ["-A", "-t", "1.2.3.4:99", "-s", ""], ["-A", "-t", "1.2.3.4 x:98"],
            ["-A", "-t", "1.2.3.4: 97"], ["-a", "-t", "1.2.3.4:80", "-r", "9.9.9.9", "-w", " 5"],
            ["-a", "-t", "1.2.3.4:80", "-r", "9.9.9.8", "-w", ""], ["-A", "-t", "1.2.3.4:96", "-b", ""], ["-L"], ["-C"],
        ]

    /// For -R.
    static let inputs = [
        "",
        "\n\n   \n",
        "-A -t 1.1.1.1:80 -s rr\nipvsadm -a -t 1.1.1.1:80 -r 2.2.2.2:80\n   -A   -u\t1.1.1.3:80\n\nipvsadm\n-A -t 1.1.1.4:80\n",
        "-A -t 1.1.1.1:80 -s rr\n-A -t 1.1.1.1:80 -s rr\n",
        "-A -t 1.1.1.1:80 -s rr\n-A -t 1.1.1.1:80 -s rr\n-A -t 1.1.1.2:80\n",
        "-A -t 1.1.1.1:80 -s rr\n-A -t 1.1.1.1:80 -w 3\n-A -t 1.1.1.2:80 -s rr\n",
        "-A -t 1.1.1.1:80 -q\n-A -t 1.1.1.2:80 -s rr\n",
        "-A -t 1.1.1.2:80 -s rr\n-A -t 1.1.1.1:80 -q\n",
        "-q\n-A -t 1.1.1.2:80 -s rr\n",
        "# comment\n-A -t 1.1.1.2:80 -s rr\n",
        "-A -t 1.1.1.3:80 #\n-A -t 1.1.1.4:80\n",
        "-A -t 1.1.1.3:80 -s \"rr\"\n-C\n-A -t 1.1.1.4:80\n-S\n-h\n-A -t 1.1.1.5:80\n",
        "-A -t 1.1.1.3:80\n-R\n-A -t 1.1.1.4:80\n",
        "-A -t 1.1.1.3:80\n-v\n-A -t 1.1.1.4:80\n",
        "-A -t 1.1.1.3:80 -s wrr\r\n-A -t 1.1.1.5:80 -s wrr",
        "-A -t 1.1.1.5:80 ipvsadm -s wrr\n  ",
        "-A -t 1.1.1.5:80 ",
        "-A -t 1.1.1.6:80  ",
        "   -A -t 1.1.1.6:80",
        "-A -t 1.1.1.5:80\n-L -t 1.1.1.9:80\n-A -t 1.1.1.6:80\n",
        "-A -t 1.1.1.5:80\n-A -t 1.1.1.5:80\n-L -n\n",
    ]

    private static func words(_ text: String) -> [[String]] {
        text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }
}
