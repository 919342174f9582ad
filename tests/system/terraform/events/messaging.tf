# Topics, buses, keys and what hangs on them.
data "aws_caller_identity" "me" {}

# --- keys ---

resource "aws_kms_key" "orders" {
  description             = var.changed ? "of orders" : "orders"
  deletion_window_in_days = 7
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "owner", Effect = "Allow", Action = "kms:*", Resource = "*", Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root" } },
    ]
  })
}

resource "aws_kms_alias" "orders" {
  name          = "alias/tf-messaging"
  target_key_id = aws_kms_key.orders.key_id
}

resource "aws_kms_grant" "worker" {
  name              = "worker"
  key_id            = aws_kms_key.orders.key_id
  grantee_principal = aws_iam_role.worker.arn
  operations        = ["Encrypt", "Decrypt", "GenerateDataKey"]
}

# --- queues ---

resource "aws_sqs_queue" "dead" { name = "tf-messaging-dead" }
resource "aws_sqs_queue" "orders" { name = "tf-messaging-orders" }
resource "aws_sqs_queue" "work" { name = "tf-messaging-work" }

resource "aws_sqs_queue_redrive_policy" "orders" {
  queue_url      = aws_sqs_queue.orders.id
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 3 })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url            = aws_sqs_queue.dead.id
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.orders.arn] })
}

resource "aws_sqs_queue_policy" "orders" {
  for_each  = { orders = aws_sqs_queue.orders, dead = aws_sqs_queue.dead }
  queue_url = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Action    = "sqs:SendMessage"
        Resource  = each.value.arn
        Principal = { Service = ["sns.amazonaws.com", "events.amazonaws.com"] }
      },
    ]
  })
}

# --- topics ---

resource "aws_sns_topic" "orders" {
  name         = "tf-messaging-orders"
  display_name = var.changed ? "All orders" : "Orders"
  tags         = { team = "orders" }
}

resource "aws_sns_topic" "ordered" {
  name                        = "tf-messaging-ordered.fifo"
  fifo_topic                  = true
  content_based_deduplication = true
}

resource "aws_sns_topic_policy" "orders" {
  arn = aws_sns_topic.orders.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "events", Effect = "Allow", Action = "sns:Publish", Resource = aws_sns_topic.orders.arn, Principal = { Service = "events.amazonaws.com" } },
    ]
  })
}

resource "aws_sns_topic_subscription" "orders" {
  topic_arn            = aws_sns_topic.orders.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.orders.arn
  raw_message_delivery = var.changed
  filter_policy        = jsonencode({ kind = ["order", { prefix = "re" }] })
  filter_policy_scope  = "MessageBody"
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn })
}

resource "aws_sns_topic_subscription" "function" {
  topic_arn = aws_sns_topic.orders.arn
  protocol  = "lambda"
  endpoint  = aws_lambda_alias.live.arn
}

# --- buses ---

resource "aws_cloudwatch_event_bus" "orders" {
  name        = "tf-messaging"
  description = "orders"
}

resource "aws_cloudwatch_event_permission" "partner" {
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  principal      = "111122223333"
  statement_id   = "partner"
  action         = "events:PutEvents"
}

resource "aws_cloudwatch_event_archive" "orders" {
  name             = "tf-messaging"
  event_source_arn = aws_cloudwatch_event_bus.orders.arn
  event_pattern    = jsonencode({ source = ["orders"] })
  retention_days   = var.changed ? 10 : 7
}

resource "aws_cloudwatch_event_rule" "made" {
  name           = "tf-made"
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  description    = var.changed ? "Orders that were made" : "Made orders"
  event_pattern  = jsonencode({ source = ["orders"], detail = { total = [{ numeric = [">", 10] }] } })
}

resource "aws_cloudwatch_event_rule" "hourly" {
  name                = "tf-hourly"
  schedule_expression = "rate(1 hour)"
  state               = var.changed ? "DISABLED" : "ENABLED"
}

resource "aws_cloudwatch_event_target" "queue" {
  rule           = aws_cloudwatch_event_rule.made.name
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  target_id      = "queue"
  arn            = aws_sqs_queue.orders.arn
  input_transformer {
    input_paths    = { id = "$.detail.id" }
    input_template = "{\"id\": <id>}"
  }
  retry_policy {
    maximum_event_age_in_seconds = 120
    maximum_retry_attempts       = 3
  }
  dead_letter_config { arn = aws_sqs_queue.dead.arn }
}

resource "aws_cloudwatch_event_target" "topic" {
  rule      = aws_cloudwatch_event_rule.hourly.name
  target_id = "topic"
  arn       = aws_sns_topic.orders.arn
  input     = jsonencode({ kind = "hourly" })
}

resource "aws_cloudwatch_event_connection" "basic" {
  name               = "tf-basic"
  description        = var.changed ? "the partner" : "partner"
  authorization_type = "BASIC"
  auth_parameters {
    basic {
      username = "weir"
      password = "a secret"
    }
    invocation_http_parameters {
      header {
        key             = "X-From"
        value           = "weir"
        is_value_secret = false
      }
      query_string {
        key             = "hidden"
        value           = "x"
        is_value_secret = true
      }
    }
  }
}

resource "aws_cloudwatch_event_connection" "key" {
  name               = "tf-key"
  authorization_type = "API_KEY"
  auth_parameters {
    api_key {
      key   = "X-Key"
      value = var.changed ? "two" : "one"
    }
  }
}

resource "aws_cloudwatch_event_api_destination" "partner" {
  name                             = "tf-partner"
  invocation_endpoint              = "https://partner.invalid/orders/*"
  http_method                      = "POST"
  invocation_rate_limit_per_second = var.changed ? 20 : 10
  connection_arn                   = aws_cloudwatch_event_connection.basic.arn
}

resource "aws_cloudwatch_event_target" "partner" {
  rule           = aws_cloudwatch_event_rule.made.name
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  target_id      = "partner"
  arn            = aws_cloudwatch_event_api_destination.partner.arn
  role_arn       = aws_iam_role.events.arn
  http_target {
    path_parameter_values   = ["$.detail.id"]
    header_parameters       = { X-Kind = "order" }
    query_string_parameters = { source = "$.source" }
  }
  retry_policy {
    maximum_event_age_in_seconds = 60
    maximum_retry_attempts       = 0
  }
}

resource "aws_iam_role" "events" {
  name = "tf-messaging-events"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "events.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "events" {
  name = "invoke"
  role = aws_iam_role.events.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "events:InvokeApiDestination", Resource = aws_cloudwatch_event_api_destination.partner.arn }]
  })
}

# --- a function that works off a queue, by an alias ---

resource "aws_iam_role" "worker" {
  name = "tf-messaging-worker"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "worker" {
  name = "work"
  role = aws_iam_role.worker.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], Resource = aws_sqs_queue.work.arn },
      { Effect = "Allow", Action = "events:PutEvents", Resource = aws_cloudwatch_event_bus.orders.arn },
      { Effect = "Allow", Action = "sns:Publish", Resource = aws_sns_topic.orders.arn },
    ]
  })
}

resource "aws_lambda_function" "worker" {
  function_name    = "tf-messaging-worker"
  role             = aws_iam_role.worker.arn
  runtime          = "python3.11"
  handler          = "index.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  timeout          = 10
  publish          = true
  kms_key_arn      = aws_kms_key.orders.arn
  dead_letter_config { target_arn = aws_sns_topic.orders.arn }
  environment { variables = { BUS = aws_cloudwatch_event_bus.orders.name } }
  depends_on = [aws_iam_role_policy.worker]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = var.changed ? "what runs" : "runs"
  function_name    = aws_lambda_function.worker.function_name
  function_version = aws_lambda_function.worker.version
}

resource "aws_lambda_permission" "topic" {
  statement_id  = "topic"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "sns.amazonaws.com"
  source_arn    = aws_sns_topic.orders.arn
}

resource "aws_lambda_function_event_invoke_config" "live" {
  function_name                = aws_lambda_function.worker.function_name
  qualifier                    = aws_lambda_alias.live.name
  maximum_retry_attempts       = var.changed ? 1 : 0
  maximum_event_age_in_seconds = 120
  destination_config {
    on_success { destination = aws_sns_topic.orders.arn }
    on_failure { destination = aws_cloudwatch_event_bus.orders.arn }
  }
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  function_name                     = aws_lambda_function.worker.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = var.changed ? 2 : 1
}

resource "aws_lambda_function_url" "live" {
  function_name      = aws_lambda_function.worker.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = "NONE"
  cors {
    allow_origins = ["https://orders.invalid"]
    allow_methods = ["GET"]
    max_age       = var.changed ? 60 : 30
  }
}

resource "aws_lambda_permission" "url" {
  statement_id           = "url"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.worker.function_name
  qualifier              = aws_lambda_alias.live.name
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_permission" "url_invoke" {
  statement_id  = "url-invoke"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "*"
}

resource "aws_lambda_event_source_mapping" "work" {
  event_source_arn                   = aws_sqs_queue.work.arn
  function_name                      = aws_lambda_alias.live.arn
  batch_size                         = var.changed ? 5 : 10
  maximum_batching_window_in_seconds = 1
  function_response_types            = ["ReportBatchItemFailures"]
  scaling_config { maximum_concurrency = 4 }
  filter_criteria {
    filter { pattern = jsonencode({ body = { kind = ["job"] } }) }
  }
}

output "bus" { value = aws_cloudwatch_event_bus.orders.name }
output "url" { value = aws_lambda_function_url.live.function_url }
output "orders" { value = aws_sqs_queue.orders.url }
