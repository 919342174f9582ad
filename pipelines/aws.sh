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

# What API Gateway calls a function by.
invocation_uri() { # FUNCTION
    echo "arn:$PARTITION:apigateway:$REGION:lambda:path/2015-03-31/functions/$(arn lambda "function:$1")/invocations"
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

# Gives a role to a service: role NAME SERVICE STATEMENTS, which are what it may do, in JSON, by commas.
role() {
    make iam create-role --role-name "$1" --assume-role-policy-document \
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"$2.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"
    call iam put-role-policy --role-name "$1" --policy-name work --policy-document "{\"Version\":\"2012-10-17\",\"Statement\":[$3]}"
}

digest() {
    openssl dgst -sha256 -binary "$1" | openssl base64
}

# Makes a function under the role $ROLE, or that of its name, or brings it up to date: function_ NAME PACKAGE SETTING...
function_() {
    local fault try old architecture=x86_64 settings=("${@:3}" --role "arn:$PARTITION:iam::$ACCOUNT:role/${ROLE:-$1}" --runtime provided.al2023)
    [ "$(uname -m)" != aarch64 ] || architecture=arm64
    # A new role takes IAM a while to know everywhere.
    for try in 1 2 3 4 5 6 7 8 9 10; do
        if fault=$(make lambda create-function --function-name "$1" "${settings[@]}" --architectures "$architecture" \
            --zip-file "fileb://$2" --query State 2>&1 && echo "made:$ANSWER"); then
            break
        fi
        [[ $fault == *"cannot be assumed"* && $try != 10 ]] || { say "$fault"; return 1; }
        sleep 3
    done
    case $fault in
    made:Active) ;;
    made:?*) call lambda wait function-active-v2 --function-name "$1" ;;
    *)
        # It is there. Settings first: new code may need a variable that the old settings lack.
        old=$(call lambda update-function-configuration --function-name "$1" "${settings[@]}" --query CodeSha256)
        call lambda wait function-updated --function-name "$1"
        if [ "$old" != "$(digest "$2")" ]; then
            call lambda update-function-code --function-name "$1" --zip-file "fileb://$2" >/dev/null
            call lambda wait function-updated --function-name "$1"
        fi
        ;;
    esac
}

# Puts a REST API by its name: rest_api NAME DOCUMENT STAGE, where the document is an OpenAPI text that says
# all of it. The stage shows it when this returns; a document that is there already changes nothing. Says
# $API_ID and $API_URL.
rest_api() {
    local document old new
    API_ID=$(call apigateway get-rest-apis --query "items[?name=='$1'].id | [0]")
    if [ "$API_ID" = None ]; then
        API_ID=$(call apigateway create-rest-api --name "$1" --endpoint-configuration types=REGIONAL --query id)
    fi
    new=$(printf %s "$2" | openssl dgst -sha256 -r | cut -c1-64)
    old=$(call apigateway get-stage --rest-api-id "$API_ID" --stage-name "$3" --query description 2>/dev/null || true)
    if [ "$old" != "$new" ]; then
        document=$(mktemp)
        printf %s "$2" >"$document"
        call apigateway put-rest-api --rest-api-id "$API_ID" --mode overwrite --fail-on-warnings --body "fileb://$document" >/dev/null
        rm -f "$document"
        call apigateway create-deployment --rest-api-id "$API_ID" --stage-name "$3" >/dev/null
        # Last, so that a run that was broken off is done again.
        call apigateway update-stage --rest-api-id "$API_ID" --stage-name "$3" \
            --patch-operations "op=replace,path=/description,value=$new" >/dev/null
    fi
    API_URL=https://$API_ID.execute-api.$REGION.amazonaws.com/$3
    [ -z "$ENDPOINT" ] || API_URL=$ENDPOINT/restapis/$API_ID/$3/_user_request_
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

remove_role() { # NAME
    remove iam delete-role-policy --role-name "$1" --policy-name work
    remove iam delete-role --role-name "$1"
}

# With the role of its name.
remove_function() { # NAME
    remove lambda delete-function --function-name "$1"
    remove_role "$1"
}

# With all that is in it, earlier versions too.
remove_bucket() { # NAME
    local objects
    call s3api head-bucket --bucket "$1" >/dev/null 2>&1 || return 0
    while objects=$(call s3api list-object-versions --bucket "$1" --max-items 1000 --output json \
        --query '[Versions || `[]`, DeleteMarkers || `[]`][].{Key: Key, VersionId: VersionId}') && [ "$objects" != "[]" ]; do
        remove s3api delete-objects --bucket "$1" --delete "{\"Quiet\": true, \"Objects\": $objects}"
    done
    remove s3api delete-bucket --bucket "$1"
}

remove_rest_api() { # NAME
    local id
    for id in $(call apigateway get-rest-apis --query "items[?name=='$1'].id"); do
        remove apigateway delete-rest-api --rest-api-id "$id"
    done
}
