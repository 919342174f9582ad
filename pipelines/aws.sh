# What the scripts of a pipeline do with the AWS CLI. Sourced by its common.sh, with $ENDPOINT, an endpoint URL;
# empty means AWS itself. Says $REGION, $ACCOUNT and $PARTITION.
export AWS_PAGER=

call() {
    if [ -n "$ENDPOINT" ]; then
        aws --endpoint-url "$ENDPOINT" --output text "$@"
    else
        aws --output text "$@"
    fi
}

say() {
    echo "$*" >&2
}

# Steps that need nothing of each other run at once: `at_once step args...`, then `all_done`.
STEPS=()
at_once() {
    "$@" &
    STEPS+=($!)
}
all_done() {
    local step failed=0
    for step in "${STEPS[@]}"; do
        wait "$step" || failed=1
    done
    STEPS=()
    [ "$failed" = 0 ] || exit 1
}

REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
REGION=${REGION:-us-east-1}
export AWS_DEFAULT_REGION=$REGION
IDENTITY=$(call sts get-caller-identity --query '[Account,Arn]')
ACCOUNT=$(echo "$IDENTITY" | cut -f1)
PARTITION=$(echo "$IDENTITY" | cut -f2 | cut -d: -f2)

arn() { # SERVICE RESOURCE
    echo "arn:$PARTITION:$1:$REGION:$ACCOUNT:$2"
}

# Makes something, with the answer in $ANSWER; that it exists already is fine ($ANSWER is empty then).
make() {
    local fault
    fault=$(mktemp)
    if ANSWER=$(call "$@" 2>"$fault"); then
        rm -f "$fault"
        return 0
    fi
    ANSWER=
    case $(cat "$fault") in
    *"(BucketAlreadyExists)"*) ;; # somebody else's
    *AlreadyExists* | *ResourceInUse* | *ResourceConflict* | *"(ConflictException)"* | *BucketAlreadyOwnedByYou*)
        rm -f "$fault"
        return 0
        ;;
    esac
    cat "$fault" >&2
    rm -f "$fault"
    return 1
}

digest() {
    openssl dgst -sha256 -binary "$1" | openssl base64
}

# Runs a removal; an answer that says the thing does not exist is fine.
remove() {
    local fault
    if fault=$(call "$@" 2>&1 >/dev/null); then
        return 0
    fi
    case $fault in
    *ResourceNotFound* | *NoSuchEntity* | *NotFoundException* | *NotFound* | *NoSuchBucket* | *NonExistentQueue* | *QueueDoesNotExist* | *"does not exist"* | *"Not Found"* | *"(404)"*) ;;
    *)
        say "$fault"
        return 1
        ;;
    esac
}
