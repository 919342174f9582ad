# Every part with one provider: most of the time of a command is the start of Terraform and of its provider, which
# read the shapes of 1,500 kinds of resources.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "packages" { type = string } # a folder with the archives of functions and of a layer
variable "changed" { default = false }

provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true
}

module "orders" {
  source  = "./orders"
  package = "${var.packages}/orders.zip"
  layer   = "${var.packages}/layer.zip"
  memory  = var.changed ? 256 : 128
  delay   = var.changed ? 1 : 0
}

module "streams" {
  source  = "./streams"
  package = "${var.packages}/streams.zip"
  batch   = var.changed ? 20 : 10
}

module "events" {
  source  = "./events"
  package = "${var.packages}/echo.zip"
  changed = var.changed
}

module "apigateway" {
  source   = "./apigateway"
  package  = "${var.packages}/echo.zip"
  changed  = var.changed
  rate     = var.changed ? 20 : 10
  greeting = var.changed ? "bye" : "hello"
}

module "cloudwatch" {
  source  = "./cloudwatch"
  changed = var.changed
}

module "cognito" {
  source = "./cognito"
  length = var.changed ? 12 : 10
}

module "access" {
  source  = "./access"
  changed = var.changed
}

module "kms" {
  source      = "./kms"
  description = var.changed ? "other" : "orders"
  rotates     = var.changed
}

output "of" {
  value = {
    access     = module.access
    orders     = module.orders
    streams    = module.streams
    events     = module.events
    apigateway = module.apigateway
    cognito    = module.cognito
  }
  sensitive = true
}
