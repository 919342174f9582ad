# Alarms of every kind, a dashboard, metric filters.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "changed" {
  default = false
}

resource "aws_sns_topic" "alarms" {
  name = "tf-cw-alarms"
}

resource "aws_cloudwatch_log_group" "app" {
  name              = "tf-cw-app"
  retention_in_days = 7
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "errors"
  log_group_name = aws_cloudwatch_log_group.app.name
  pattern        = var.changed ? "?ERROR ?FATAL" : "ERROR"
  metric_transformation {
    name          = "Errors"
    namespace     = "tf-cw"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_log_metric_filter" "latency" {
  name           = "latency"
  log_group_name = aws_cloudwatch_log_group.app.name
  pattern        = "{ $.level = \"info\" && $.ms > 0 }"
  metric_transformation {
    name       = "Latency"
    namespace  = "tf-cw"
    value      = "$.ms"
    unit       = "Milliseconds"
    dimensions = { route = "$.route" }
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "tf-cw-errors"
  alarm_description   = "errors of the application"
  namespace           = "tf-cw"
  metric_name         = "Errors"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = var.changed ? 3 : 1
  datapoints_to_alarm = 1
  threshold           = var.changed ? 5 : 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = var.changed ? [aws_sns_topic.alarms.arn] : []
  tags                = { team = var.changed ? "blue" : "red" }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  alarm_name                            = "tf-cw-latency"
  namespace                             = "tf-cw"
  metric_name                           = "Latency"
  extended_statistic                    = "p99"
  evaluate_low_sample_count_percentiles = "ignore"
  dimensions                            = { route = "/cars" }
  unit                                  = "Milliseconds"
  period                                = 300
  evaluation_periods                    = 2
  threshold                             = 250.5
  comparison_operator                   = "GreaterThanOrEqualToThreshold"
}

resource "aws_cloudwatch_metric_alarm" "ratio" {
  alarm_name          = "tf-cw-ratio"
  evaluation_periods  = 1
  threshold           = 0.1
  comparison_operator = "GreaterThanThreshold"
  metric_query {
    id          = "ratio"
    expression  = "errors / requests"
    label       = "share of errors"
    return_data = true
  }
  metric_query {
    id = "errors"
    metric {
      namespace   = "tf-cw"
      metric_name = "Errors"
      period      = 60
      stat        = "Sum"
    }
  }
  metric_query {
    id = "requests"
    metric {
      namespace   = "tf-cw"
      metric_name = "Requests"
      period      = 60
      stat        = "Sum"
      unit        = "Count"
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "any" {
  alarm_name        = "tf-cw-any"
  alarm_description = var.changed ? "any of them" : "any"
  alarm_rule        = "ALARM(${aws_cloudwatch_metric_alarm.errors.alarm_name}) OR ALARM(${aws_cloudwatch_metric_alarm.ratio.alarm_name})"
  alarm_actions     = [aws_sns_topic.alarms.arn]
  actions_suppressor {
    alarm            = aws_cloudwatch_metric_alarm.latency.alarm_name
    wait_period      = 60
    extension_period = 120
  }
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = "tf-cw-main"
  dashboard_body = jsonencode({
    widgets = [{
      type       = "text", x = 0, y = 0, width = 6, height = 3,
      properties = { markdown = var.changed ? "# changed" : "# first" }
    }]
  })
}
