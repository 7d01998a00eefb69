#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The netlink protocol is the same in the header, in the YAML description and in the module.
set -uo pipefail
. "${0%/*}/../tap.sh"
cd "${0%/*}/../.." || exit 1
header=include/uapi/linux/rootview.h
yaml=doc/netlink/rootview.yaml

# enumerators ENUM: the names in it, in their order, less the marks at both ends.
enumerators() {
	sed -n "/^enum $1 {/,/^};/p" "$header" | sed 's,/\*.*,,' | grep -o '\bROOTVIEW_[A-Z_]*' |
		grep -v -e UNSPEC -e MAX
}

# described: ENUM NAME TYPE for each attribute and operation of the YAML file, "handler NAME do|dump|event"
# and "constant NAME VALUE", with names as C writes them.
described() {
	awk '
	/^attribute-sets:/	{ section = "attributes" }
	/^operations:/		{ section = "operations" }
	/^definitions:/		{ section = "definitions" }
	/^mcast-groups:/	{ section = "groups" }
	$1 == "name-prefix:"	{ prefix = $2 }
	$1 == "enum-name:"	{ enum = $2; gsub("-", "_", enum) }
	$1 == "name:" && (section == "attributes" && /^        / || section == "operations") {
		name = toupper(prefix $2); gsub("-", "_", name); type = ""
		if (section == "operations") print enum, name, "operation"
	}
	$1 == "type:" && section == "attributes" { print enum, name, $2 }
	$1 == "do:" || $1 == "dump:" || $1 == "event:" { if (section == "operations")
		print "handler", name, substr($1, 1, length($1) - 1) }
	$1 == "name:" && section == "definitions" { constant = toupper("rootview_" $2); gsub("-", "_", constant) }
	$1 == "value:" && section == "definitions" { print "constant", constant, $2 }
	' "$yaml"
}
described=$(described)
missing=

for enum in rootview_cmd rootview_attr rootview_origin_attr rootview_view_attr; do
	is "$enum has the same names in the same order" "$(awk -v e=$enum '$1 == e { print $2 }' <<< "$described")" \
		"$(enumerators $enum)"
done
is "no enum is left out" "$(sed -n 's/^enum \([a-z_]*\) {/\1/p' "$header" | sort)" \
	"$(awk '$1 ~ /^rootview_/ { print $1 }' <<< "$described" | sort -u)"

is "the limits are the same" "$(awk '$1 == "constant" { print $2, $3 }' <<< "$described" | sort)" \
	"$(sed -n 's/^#define \(ROOTVIEW_[A-Z]*_MAX\)\t\([0-9]*\)$/\1 \2/p' "$header" | sort)"

# What the module takes is of the type that is described.
while read -r name type; do
	case $type in
	NLA_NESTED | NESTED) type=nest ;;
	NLA_NUL_STRING) type=string ;;
	NLA_BINARY) type=binary ;;
	NLA_U32) type=u32 ;;
	NLA_U64) type=u64 ;;
	esac
	is "the policy of $name is that of its type" "$type" \
		"$(awk -v n="$name" '$2 == n { print $3 }' <<< "$described")"
done < <(sed -n 's/^\t\[\(ROOTVIEW_[A-Z_]*\)\][[:space:]]*= .*\(NLA_[A-Z0-9]*\|NLA_NUL_STRING\|NESTED\)\b.*/\1 \2/p' \
	kmod/attr.c | sed 's/ NLA_POLICY.*//' | awk 'NF == 2')

is "the module handles what is described" \
	"$(awk '/\.cmd = / { gsub(",", "", $3); cmd = $3 }
		/\.doit = / { print cmd, "do" }
		/\.dumpit = / { print cmd, "dump" }' kmod/netlink.c | sort)" \
	"$(awk '$1 == "handler" && $3 != "event" { print $2, $3 }' <<< "$described" | sort)"
is "the module announces what is described" \
	"$(grep -ohE 'ROOTVIEW_CMD_(ORIGIN|VIEW)_(ADDED|REMOVED|FAILED|CREATED|DELETED)' kmod/*.c | sort -u)" \
	"$(awk '$1 == "handler" && $3 == "event" { print $2 }' <<< "$described" | sort -u)"
comment=$(sed '/^#ifndef _UAPI/,$d' "$header")
# shellcheck disable=SC2013 # words
for name in $(awk '$3 != "pad" && $1 ~ /_(cmd|attr)$/ { print $2 }' <<< "$described"); do
	grep -qw "$name" <<< "$comment" || missing+=" $name"
done
is "the comment at the top of the header describes all" "$missing" ""
done_testing
