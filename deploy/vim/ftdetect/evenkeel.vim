" keepalived.conf and Evenkeel's own files.
autocmd BufNewFile,BufRead keepalived.conf,*/evenkeel/*.conf,*/keepalived/*.conf setfiletype evenkeel
