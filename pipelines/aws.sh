# What the scripts of a pipeline do with the AWS CLI. Sourced with $ENDPOINT, an endpoint URL; empty means AWS itself.
# Says $REGION, $ACCOUNT and $PARTITION.
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

REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
REGION=${REGION:-us-east-1}
export AWS_DEFAULT_REGION=$REGION
IDENTITY=$(call sts get-caller-identity --query '[Account,Arn]')
ACCOUNT=$(echo "$IDENTITY" | cut -f1)
PARTITION=$(echo "$IDENTITY" | cut -f2 | cut -d: -f2)

arn() { # SERVICE RESOURCE
    echo "arn:$PARTITION:$1:$REGION:$ACCOUNT:$2"
}
