import functions_framework
@functions_framework.http
def enrich(request):
    return "later", 500
