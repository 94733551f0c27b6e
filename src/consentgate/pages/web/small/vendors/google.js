(a,t,e)=>{a.dataLayer??=[],a.gtag??=function(){a.dataLayer.push(arguments)},a.gtag("consent",t,e)}
