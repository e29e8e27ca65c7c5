# shellcheck shell=sh disable=SC2154 # variables of the other files
# What a node is asked before an update is planned: where the cluster runs what, a pending reboot, new packages.

show_copy() { # resource agent role node, like crm_mon
    printf '<resource id="%s" resource_agent="ocf::heartbeat:%s" role="%s" active="true"><node name="%s"/></resource>\n' \
        "$1" "$2" "$3" "$4"
}

find_role() { # node; by $leader and $copies, sets $role to Pacemaker's word for the copy there; fails if there is none
    role=Started
    case $copies in
        one-runs) [ "$1" = "$leader" ] ;;
        one-leads) if [ "$1" = "$leader" ]; then role=Master; else role=Slave; fi ;;
        all-lead) role=Master ;;
    esac
}

show_bundle() { # service, on the folder of a node that has it
    get "$node/services/$1/resource"
    resource=$got
    get "$node/services/$1/container"
    bundle=${got%-podman-0}
    leader "$resource" "$1"
    find_copies "$1"
    printf '<bundle id="%s" type="podman" managed="true" failed="false">\n' "$bundle"
    replica=0
    for other in "$nodes"/*; do
        [ -d "$other/services/$1" ] || continue
        there=${other##*/}
        find_role "$there" || continue
        printf '<replica id="%s">\n' "$replica"
        if runs_there "$other" "$1"; then
            show_copy "$bundle-podman-$replica" podman Started "$there"
            [ "$bundle" = "$resource" ] || show_copy "$resource" "$resource" "$role" "$bundle-$replica"
        else
            printf '<resource id="%s" resource_agent="ocf::heartbeat:podman" role="Stopped"/>\n' "$bundle-podman-$replica"
        fi
        printf '</replica>\n'
        replica=$((replica + 1))
    done
    printf '</bundle>\n'
}

show_clone() { # service, on the folder of a node that has it; its resource is the cluster's, without a container
    get "$node/services/$1/resource"
    resource=$got
    leader "$resource" "$1"
    find_copies "$1"
    [ "$copies" = one-runs ] || printf '<clone id="%s-clone" managed="true">\n' "$resource"
    for other in "$nodes"/*; do
        runs_there "$other" "$1" || continue
        there=${other##*/}
        find_role "$there" || continue
        show_copy "$resource" "$resource" "$role" "$there"
    done
    [ "$copies" = one-runs ] || printf '</clone>\n'
}

show_resources() {
    printf '  <resources>\n'
    if [ -r "$sandbox/vips" ]; then
        while read -r vip owner; do
            vip_leader "$vip" "$owner"
            [ -z "$leader" ] || show_copy "ip-$vip" IPaddr2 Started "$leader"
        done <"$sandbox/vips"
    fi
    for folder in "$node"/services/*/resource; do
        [ -e "$folder" ] || continue
        folder=${folder%/resource}
        if [ -e "$folder/container" ]; then show_bundle "${folder##*/}"; else show_clone "${folder##*/}"; fi
    done
    printf '  </resources>\n'
}

show_container() { # container; with its $status, or its image where $images is set
    if [ -z "$images" ]; then
        echo "$1$status"
        return
    fi
    image=sandbox/$1
    if [ -r "$node/images" ]; then
        while read -r container_name container_image; do
            [ "$container_name" = "$1" ] && image=$container_image
        done <"$node/images"
    fi
    echo "$1 $image"
}

run_needs_restarting() {
    [ "$*" = -r ] || unknown "$@"
    if [ -e "$node/reboot" ]; then
        echo "Reboot is required to fully utilize these updates."
        exit 1
    fi
    echo "Reboot should not be necessary."
}
