import "./node_modules/aws-lambda-ric/index.mjs";
