" Vim syntax file: keepalived.conf as Evenkeel reads it.
" Generated from the keyword table (Sources/Configuration); EVENKEEL_REWRITE=1 … --filter KeywordTableTests writes it.
if exists("b:current_syntax")
  finish
endif
syn case match
syn iskeyword @,48-57,_,-

syn keyword evenkeelBlock BFD_CHECK DNS_CHECK FILE_CHECK HTTP_GET MISC_CHECK PING_CHECK SMTP_CHECK SSL SSL_GET TCP_CHECK
syn keyword evenkeelBlock UDP_CHECK auth_hmac authentication bfd_instance garp_group global_defs group host
syn keyword evenkeelBlock interface_up_down_delays interfaces notification_email real_server static_ipaddress
syn keyword evenkeelBlock static_routes static_rules track_bfd track_file track_group track_interface track_process
syn keyword evenkeelBlock track_script track_unit unicast_peer url virtual_ipaddress virtual_ipaddress_excluded
syn keyword evenkeelBlock virtual_routes virtual_rules virtual_server virtual_server_group vrrp_instance vrrp_script
syn keyword evenkeelBlock vrrp_sync_group vrrp_track_process
hi def link evenkeelBlock Structure
syn keyword evenkeelIdle bfd_cpu_affinity bfd_no_swap bfd_priority bfd_process_name bfd_rlimit_rttime bfd_rt_priority
syn keyword evenkeelIdle checker_process_name child_wait_time config_save_dir data_use_instance dbus_no_interface_name
syn keyword evenkeelIdle dbus_service_name debug dynamic_interfaces enable_dbus enable_snmp_checker enable_snmp_vrrp
syn keyword evenkeelIdle hashed higher_prio_send_advert instance iproute_etc_dir iproute_usr_dir json_dump_file
syn keyword evenkeelIdle json_version linkbeat_interfaces linkbeat_use_polling lvs_flush lvs_netlink_monitor_rcv_bufs
syn keyword evenkeelIdle lvs_netlink_monitor_rcv_bufs_force namespace_with_ipsets nat_mask native_ipv6 net_mask nftables
syn keyword evenkeelIdle nftables_ifindex process_name process_names regex_stack reload_check_config reload_file
syn keyword evenkeelIdle reload_repeat reload_time_file snmp_rs_stats_update_interval snmp_socket
syn keyword evenkeelIdle snmp_vs_stats_update_interval state_dump_file stats_dump_file tls_compliant
syn keyword evenkeelIdle tmp_config_directory use_pid_dir vrrp_higher_prio_send_advert vrrp_ipsets vrrp_iptables
syn keyword evenkeelIdle vrrp_process_name
hi def link evenkeelIdle Comment
syn keyword evenkeelNotYet enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3 enable_traps snmp_name
hi def link evenkeelNotYet Todo
syn keyword evenkeelOld bfd_rlimit_rtime checker_rlimit_rtime enable_snmp_keepalived global_tracking lvs_flush_onstop
syn keyword evenkeelOld lvs_id lvs_process_name nb_get_retry thread_timer_expired vmac_garp_intvl vrrp_rlimit_rtime
syn keyword evenkeelOld vrrp_track_file vrrp_vmac_garp_intvl
hi def link evenkeelOld WarningMsg
syn keyword evenkeelOwn flap_limit lvs_drain_removed max_restarts notify_webhook smtp_password_file smtp_tls smtp_tls_ca
syn keyword evenkeelOwn smtp_tls_verify smtp_user unit verify window
hi def link evenkeelOwn Keyword
syn keyword evenkeelWord -nodad accept active_key advert_int alpha anti_replay auth_pass auth_type autojoin bind_if
syn keyword evenkeelWord bind_port bindto brd broadcast ca certificate check_unicast_src checker checker_cpu_affinity
syn keyword evenkeelWord checker_log_all_failures checker_no_swap checker_priority checker_rlimit_rttime
syn keyword evenkeelWord checker_rt_priority connect_ip connect_port connect_timeout default_interface delay
syn keyword evenkeelWord delay_before_retry delay_loop dev digest disable_local_igmp dont_track_primary
syn keyword evenkeelWord down_timer_adverts enable_script_security enable_sni fall fast_recovery
syn keyword evenkeelWord fifo_write_vrrp_states_on_reload file flag-1 flag-2 flag-3 fork_delay full_command fwmark
syn keyword evenkeelWord garp_extra_if garp_interval garp_lower_prio_delay garp_lower_prio_repeat garp_master_delay
syn keyword evenkeelWord garp_master_refresh garp_master_refresh_repeat garp_master_repeat gna_interval ha_suspend
syn keyword evenkeelWord helo_name home hoplimit http_protocol hysteresis idle_tx include include_check includea
syn keyword evenkeelWord includeb includem includer includew inhibit_on_failure init_fail init_file interface interval
syn keyword evenkeelWord ip_family kernel_rx_buf_size key label lb_algo lb_kind log_all_failures log_unknown_vrids
syn keyword evenkeelWord lower_prio_no_advert lthreshold lvs_flush_on_stop lvs_method lvs_netlink_cmd_rcv_bufs
syn keyword evenkeelWord lvs_netlink_cmd_rcv_bufs_force lvs_notify_fifo lvs_notify_fifo_script lvs_sched lvs_sync_daemon
syn keyword evenkeelWord lvs_sync_daemon_interface lvs_timeouts max_auto_priority max_hops max_reply_length mcast_dst_ip
syn keyword evenkeelWord mcast_src_ip mh-fallback mh-port min_auto_priority_delay min_reply_length min_rx min_tx
syn keyword evenkeelWord misc_dynamic misc_path misc_timeout mngtmpaddr mode multihop multiplier name neighbor_ip
syn keyword evenkeelWord neighbour_ip net_namespace net_namespace_ipvs nftables_counters nftables_ipvs
syn keyword evenkeelWord nftables_ipvs_priority nftables_ipvs_start_fwmark nftables_priority no_accept no_checker_emails
syn keyword evenkeelWord no_email_faults no_track no_virtual_ipaddress nopreempt noprefixroute notification_email_from
syn keyword evenkeelWord notify notify_backup notify_deleted notify_down notify_fault notify_fifo notify_fifo_script
syn keyword evenkeelWord notify_master notify_master_rx_lower_pri notify_priority_changes notify_stop notify_up
syn keyword evenkeelWord old_unicast_checksum omega ops owner_ignore_adverts param_match passive password path payload
syn keyword evenkeelWord peer persistence_engine persistence_granularity persistence_timeout preempt preempt_delay
syn keyword evenkeelWord preferred_lft priority process process_monitor_rcv_bufs process_monitor_rcv_bufs_force
syn keyword evenkeelWord promote_secondaries protocol quorum quorum_down quorum_max quorum_up random_seed regex
syn keyword evenkeelWord regex_max_offset regex_min_offset regex_no_match regex_options require_reply retry rise
syn keyword evenkeelWord router_id rs_init_notifies scope script script_user set_supplementary_groups sh-fallback
syn keyword evenkeelWord sh-port shutdown_script shutdown_script_timeout skip_check_adv_addr smtp_alert
syn keyword evenkeelWord smtp_alert_checker smtp_alert_vrrp smtp_connect_timeout smtp_helo_name smtp_server sni_name
syn keyword evenkeelWord sorry_server sorry_server_inhibit sorry_server_lvs_method source_ip startup_script
syn keyword evenkeelWord startup_script_timeout state status_code strict_mode sync_group_tracking_weight terminate_delay
syn keyword evenkeelWord time_window timeout timer_expired_backup track_src_ip ttl type umask unicast_fault_no_peer
syn keyword evenkeelWord unicast_src_ip unicast_ttl use_ipvlan use_symlink_paths use_vmac use_vmac_addr user uthreshold
syn keyword evenkeelWord v3_checksum_as_v2 version virtual_router_id virtualhost vmac_addr_prefix vmac_prefix
syn keyword evenkeelWord vmac_xmit_base vrf vrrp vrrp_check_unicast_src vrrp_cpu_affinity vrrp_delay_after_boot
syn keyword evenkeelWord vrrp_down_timer_adverts vrrp_garp_extra_if vrrp_garp_interval vrrp_garp_lower_prio_delay
syn keyword evenkeelWord vrrp_garp_lower_prio_repeat vrrp_garp_master_delay vrrp_garp_master_refresh
syn keyword evenkeelWord vrrp_garp_master_refresh_repeat vrrp_garp_master_repeat vrrp_gna_interval
syn keyword evenkeelWord vrrp_lower_prio_no_advert vrrp_mcast_group4 vrrp_mcast_group6 vrrp_min_garp
syn keyword evenkeelWord vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs
syn keyword evenkeelWord vrrp_netlink_monitor_rcv_bufs_force vrrp_no_swap vrrp_notify_fifo vrrp_notify_fifo_script
syn keyword evenkeelWord vrrp_notify_priority_changes vrrp_owner_ignore_adverts vrrp_priority vrrp_rlimit_rttime
syn keyword evenkeelWord vrrp_rt_priority vrrp_rx_bufs_multiplier vrrp_rx_bufs_policy vrrp_skip_check_adv_addr
syn keyword evenkeelWord vrrp_startup_delay vrrp_strict vrrp_version warmup weight
hi def link evenkeelWord Keyword

syn match evenkeelComment "[#!].*$" contains=@Spell
syn region evenkeelString start=+"+ skip=+\\.+ end=+"+ oneline
syn match evenkeelNumber "\<\d\+\%(\.\d\+\)\?\>"
syn match evenkeelAddress "\<\d\{1,3}\%(\.\d\{1,3}\)\{3}\%(/\d\+\|-\d\+\)\?"
syn match evenkeelAddress "\<\x\{1,4}:[0-9a-fA-F:]*\%(/\d\+\)\?"
syn match evenkeelConstant "\<\%(MASTER\|BACKUP\|NAT\|DR\|TUN\|TCP\|UDP\|SCTP\|PASS\|AH\|on\|off\|yes\|no\|true\|false\)\>"
syn match evenkeelCondition "^\s*@^\?\S\+"
syn match evenkeelParameter "\$\%({[^}]*}\|\w\+\)"
syn region evenkeelFold start="{" end="}" transparent fold
hi def link evenkeelComment Comment
hi def link evenkeelString String
hi def link evenkeelNumber Number
hi def link evenkeelAddress Constant
hi def link evenkeelConstant Constant
hi def link evenkeelCondition PreProc
hi def link evenkeelParameter PreProc
let b:current_syntax = "evenkeel"
